import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { openArtifactBucket, type ArtifactBucketOptions } from '../../../shared/models/artifact-bucket.ts';
import type { ArtifactStore } from '../../../shared/models/artifact-store.ts';
import { openS3Server, type S3Fault, type S3Server } from '../../support/open-s3-server.ts';

let server: S3Server;
beforeAll(async () => {
  server = await openS3Server();
});
afterAll(() => server[Symbol.asyncDispose]());

const open = (changes: Partial<ArtifactBucketOptions> = {}) =>
  openArtifactBucket({
    bucket: 'artifacts',
    region: 'us-east-1',
    endpointUrl: server.url,
    mayAskInstanceMetadata: false,
    ...changes,
  });

const bytes = new TextEncoder().encode('content');
const calls: [string, (store: ArtifactStore) => Promise<unknown>][] = [
  ['read', (store) => store.read('a', { maxBytes: 100 })],
  ['write', (store) => store.write('a', bytes)],
  ['list', (store) => store.list('')],
  ['exists', (store) => store.exists()],
];

describe.each(calls)('%s', (name, call) => {
  test.each<[string, S3Fault, object]>([
    ['S3 fails', { kind: 'status', status: 500, code: 'InternalError' }, { code: 'STORE_UNAVAILABLE' }],
    [
      'S3 asks for fewer calls',
      { kind: 'status', status: 503, code: 'SlowDown' },
      { code: 'STORE_UNAVAILABLE' },
    ],
    ['the connection is reset', { kind: 'reset' }, { code: 'STORE_UNAVAILABLE' }],
    [
      'access is denied',
      { kind: 'status', status: 403, code: 'AccessDenied' },
      { code: 'ARTIFACTS_ACCESS_DENIED', kind: 'permanent' },
    ],
    ['the call is refused', { kind: 'status', status: 400, code: 'BadDigest' }, { code: 'ARTIFACTS_FAILED' }],
  ])('%s: told by its code, after one call', async (_what, fault, expected) => {
    using store = open();
    await store.prepare();
    const before = server.requests.length;
    server.failNext(fault);
    await expect(call(store)).rejects.toMatchObject(expected);
    expect(server.requests).toHaveLength(before + 1);
  });

  test('nobody listens', async () => {
    using store = open({ endpointUrl: 'http://127.0.0.1:1' });
    await expect(call(store)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'The artifact store does not answer',
    });
  });

  test('a server that does not answer is given up', async () => {
    using patient = open();
    await patient.prepare();
    using store = open({ idleTimeoutMs: 200 });
    server.failNext({ kind: 'hang' });
    await expect(call(store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  if (name === 'read') {
    test('half an answer is none', async () => {
      using store = open();
      await store.prepare();
      server.failNext({ kind: 'cut-off' });
      await expect(call(store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  }
});

test('lists more keys than one answer holds', async () => {
  using store = open();
  const pageOf = (key: string, rest: string): S3Fault => ({
    kind: 'answer',
    xml: `<ListBucketResult><Contents><Key>${key}</Key></Contents>${rest}</ListBucketResult>`,
  });
  server.failNext(
    pageOf('many/1', '<IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>'),
  );
  server.failNext(pageOf('many/2', '<IsTruncated>false</IsTruncated>'));
  expect(await store.list('many/')).toEqual(['many/1', 'many/2']);
});

test.each([
  ['us-east-1', ''],
  ['eu-central-1', '<LocationConstraint>eu-central-1</LocationConstraint>'],
])('a bucket is made in its region: %s', async (region, expected) => {
  const bodies: string[] = [];
  const recorder = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      if (request.method === 'PUT') bodies.push(body);
      response.writeHead(request.method === 'HEAD' ? 404 : 200).end();
    });
  });
  recorder.listen(0, '127.0.0.1');
  await once(recorder, 'listening');
  const { port } = recorder.address() as AddressInfo;
  {
    using store = open({ region, endpointUrl: `http://127.0.0.1:${port}` });
    expect(await store.prepare()).toBe(true);
  }
  recorder.close();
  recorder.closeAllConnections();
  expect(bodies).toEqual([expect.stringContaining(expected)]);
  expect(bodies[0] === '').toBe(expected === '');
});
