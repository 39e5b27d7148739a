import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDoctor, type Doctor } from '../../support/open-doctor.ts';
import { openS3Server } from '../../support/open-s3-server.ts';
import { runPresage } from '../../support/run-presage.ts';

let doctor: Doctor;
beforeAll(async () => {
  doctor = await openDoctor();
});
afterAll(() => doctor[Symbol.asyncDispose]());

/** A file of the version of lead-conversion that is served. */
async function storedFile(name: string): Promise<string> {
  const folder = fileURLToPath(doctor.environment.ARTIFACTS_URL);
  const files = await readdir(folder, { recursive: true });
  const found = files.find((file) => file.includes('lead-conversion') && path.basename(file) === name);
  return path.join(folder, found ?? name);
}

test('what is served is as it was registered', async () => {
  const { all, exitCode } = await doctor.examine();
  expect(exitCode).toBe(0);
  expect(all).toEqual(
    expect.arrayContaining([
      `ok models store: ${doctor.environment.ARTIFACTS_URL} is there`,
      'ok models checksums: lead-conversion 1.0.0 is as it was registered',
    ]),
  );
});

test('a file that is not: it is named, until the bundle is registered again', async () => {
  const file = await storedFile('model.onnx');
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(1));
  const { amiss, exitCode } = await doctor.examine();
  expect(exitCode).toBe(1);
  expect(amiss).toEqual([
    `fail models checksums: lead-conversion 1.0.0 model.onnx: has ${bytes.length - 1} bytes, the manifest says ${bytes.length}`,
  ]);
  const bundle = path.join(import.meta.dirname, '../../../models/lead-conversion/1.0.0');
  expect((await runPresage(['models', 'register', bundle], doctor.environment)).exitCode).toBe(0);
  expect(await doctor.examine()).toMatchObject({ exitCode: 0, amiss: [] });
});

test('nothing says where models are, or nothing is to be served: warnings', async () => {
  const nowhere = await doctor.examine({ ARTIFACTS_URL: '' });
  expect(nowhere).toMatchObject({
    exitCode: 0,
    amiss: ['warn models store: nothing says where the files of models are: no lead can be scored'],
  });
  const empty = { MODEL_REGISTRY_TABLE: 'another-registry' };
  await runPresage(['migrate'], { ...doctor.environment, ...empty });
  expect(await doctor.examine(empty)).toMatchObject({
    exitCode: 0,
    amiss: ['warn models registry: no version of a model is to be served: no lead can be scored'],
  });
});

test('a store that is not there, refuses, or does not answer', async () => {
  const { href: missing } = new URL('not-there', `${doctor.environment.ARTIFACTS_URL}/`);
  expect((await doctor.examine({ ARTIFACTS_URL: missing })).amiss).toEqual([
    `fail models store: ${missing} does not exist`,
  ]);
  await using server = await openS3Server();
  const bucket = { ARTIFACTS_URL: '', ARTIFACTS_BUCKET: 'models', AWS_ENDPOINT_URL_S3: server.url };
  server.failNext({ kind: 'status', status: 403, code: 'AccessDenied' });
  expect((await doctor.examine(bucket)).amiss).toEqual([
    'fail models store: Access to the artifact store s3://models is not allowed',
  ]);
  expect((await doctor.examine({ ...bucket, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' })).amiss).toEqual([
    'fail models store: s3://models does not answer',
  ]);
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
});

test('what the registry names and the store has lost', async () => {
  await rm(path.dirname(await storedFile('manifest.json')), { recursive: true });
  expect((await doctor.examine()).amiss).toEqual([
    'fail models checksums: lead-conversion 1.0.0 manifest.json: is missing',
  ]);
});
