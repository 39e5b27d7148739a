import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openArtifactBucket } from '../../shared/models/artifact-bucket.ts';
import { openArtifactFolder } from '../../shared/models/artifact-folder.ts';
import type { ArtifactStore } from '../../shared/models/artifact-store.ts';
import { openS3Server, type S3Server } from '../support/open-s3-server.ts';

let directory: string;
let server: S3Server;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'presage-artifacts-'));
  server = await openS3Server();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const adapters: [string, (name: string) => ArtifactStore][] = [
  ['folder', (name) => openArtifactFolder(path.join(directory, name))],
  [
    'bucket',
    (name) =>
      openArtifactBucket({
        bucket: name,
        region: 'us-east-1',
        endpointUrl: server.url,
        mayAskInstanceMetadata: false,
      }),
  ],
];

const maxBytes = 100;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

describe.each(adapters)('artifacts in a %s', (_kind, open) => {
  let stores = 0;
  let store: ArtifactStore;
  beforeEach(async () => {
    store = open(`store-${++stores}`);
    await store.prepare();
  });
  afterEach(() => store[Symbol.dispose]());

  test('what is written is read, and written again it is replaced', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
    await store.write('models/lead/1.0.0-rc.1/model.onnx', bytes);
    expect(await store.read('models/lead/1.0.0-rc.1/model.onnx', { maxBytes: 256 })).toEqual(
      Buffer.from(bytes),
    );
    await store.write('models/lead/1.0.0-rc.1/model.onnx', bytesOf('short'));
    expect(textOf(await store.read('models/lead/1.0.0-rc.1/model.onnx', { maxBytes }))).toBe('short');
  });

  test('an empty file is one', async () => {
    await store.write('empty', new Uint8Array());
    expect(await store.read('empty', { maxBytes })).toHaveLength(0);
  });

  test('what is not there is nothing', async () => {
    await store.write('models/lead/manifest.json', bytesOf('{}'));
    expect(await store.read('models/lead/model.onnx', { maxBytes })).toBeUndefined();
    expect(await store.read('models/lead', { maxBytes })).toBeUndefined();
    expect(await store.read('models/lead/manifest.json/more', { maxBytes })).toBeUndefined();
    expect(await store.list('models/other/')).toEqual([]);
  });

  test('no more is read than is asked for', async () => {
    await store.write('large', new Uint8Array(maxBytes + 1));
    await expect(store.read('large', { maxBytes })).rejects.toMatchObject({ code: 'ARTIFACT_TOO_LARGE' });
    expect(await store.read('large', { maxBytes: maxBytes + 1 })).toHaveLength(maxBytes + 1);
  });

  test('lists every key under a prefix, in order, and no other', async () => {
    for (const key of ['b/2', 'b/10', 'b/c/d', 'bb/1', 'a']) await store.write(key, bytesOf(key));
    expect(await store.list('b/')).toEqual(['b/10', 'b/2', 'b/c/d']);
    expect(await store.list('')).toEqual(['a', 'b/10', 'b/2', 'b/c/d', 'bb/1']);
  });

  test.each([
    '',
    '/',
    '../outside',
    'a/../../outside',
    'a//b',
    '/etc/passwd',
    'a/',
    './a',
    'a/.b',
    'a\0',
    'a\\b',
  ])('the key %j is refused', async (key) => {
    const refused = { code: 'ARTIFACT_KEY_INVALID' };
    await expect(store.read(key, { maxBytes })).rejects.toMatchObject(refused);
    await expect(store.write(key, bytesOf('x'))).rejects.toMatchObject(refused);
    expect(await store.list('')).toEqual([]);
  });

  test.each(['a', '../', '/', 'a/../'])('the prefix %j is refused', async (prefix) => {
    await expect(store.list(prefix)).rejects.toMatchObject({ code: 'ARTIFACT_KEY_INVALID' });
  });

  test('a reader finds one of the writes whole, however many there are at once', async () => {
    const contents = Array.from({ length: 8 }, (_, writer) => String(writer).repeat(50_000));
    const writes = contents.map((content) => store.write('contested', bytesOf(content)));
    await Promise.all(writes);
    expect(contents).toContain(textOf(await store.read('contested', { maxBytes: 50_000 })));
    expect(await store.list('')).toEqual(['contested']);
  });

  test('is made once, also by several at the same time', async () => {
    using fresh = open(`store-${++stores}`);
    expect(await fresh.exists()).toBe(false);
    await Promise.all([fresh.prepare(), fresh.prepare(), fresh.prepare()]);
    expect(await fresh.exists()).toBe(true);
    expect(await fresh.prepare()).toBe(false);
  });

  test('where there is none, every call says so', async () => {
    using missing = open(`store-${++stores}`);
    const told = { code: 'ARTIFACTS_MISSING', message: expect.stringContaining(missing.url) };
    await expect(missing.read('a', { maxBytes })).rejects.toMatchObject(told);
    await expect(missing.write('a', bytesOf('x'))).rejects.toMatchObject(told);
    await expect(missing.list('')).rejects.toMatchObject(told);
  });
});
