import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  environmentOfRunningStack,
  readRunFile,
  runFilePath,
  writeRunFile,
  type RunningStack,
} from '../../../shared/config/run-file.ts';
import { processIdentity } from '../../../shared/process/process-identity.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'presage-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const stack: RunningStack = {
  api: 'http://127.0.0.1:8080',
  dashboard: 'http://127.0.0.1:8082',
  model_serving: 'http://127.0.0.1:8083',
  redis: 'redis://default:secret@127.0.0.1:6379/0',
  mysql: 'mysql://presage:secret@127.0.0.1:3306/presage',
  dynamodb: 'http://127.0.0.1:8000',
  artifacts: 'file:///data/artifacts',
  health: { relay: ['http://127.0.0.1:9000'] },
  pids: { relay: [1234], api: [] },
  up: { pid: process.pid, identity: processIdentity(process.pid) ?? '' },
};

test('what was written is read again, and only the user may read it', async () => {
  writeRunFile(runFilePath(directory), stack);
  expect(readRunFile(directory)).toEqual(stack);
  expect((await stat(runFilePath(directory))).mode & 0o077).toBe(0);
});

test('no file, a damaged file and a file of another shape count as no stack', async () => {
  expect(readRunFile(directory)).toBeUndefined();
  writeRunFile(runFilePath(directory), stack);
  await writeFile(runFilePath(directory), '{"api": ');
  expect(readRunFile(directory)).toBeUndefined();
  await writeFile(runFilePath(directory), '{"api": 1}');
  expect(readRunFile(directory)).toBeUndefined();
});

test('the file of an `up` that is gone counts for nothing, also when its process id was given away again', () => {
  writeRunFile(runFilePath(directory), { ...stack, up: { pid: 2 ** 22 + 1, identity: '1' } });
  expect(readRunFile(directory)).toBeUndefined();
  writeRunFile(runFilePath(directory), {
    ...stack,
    up: { pid: process.pid, identity: 'of an earlier process' },
  });
  expect(readRunFile(directory)).toBeUndefined();
});

test('commands get the addresses of the stack', () => {
  writeRunFile(runFilePath(directory), stack);
  expect(environmentOfRunningStack({ LOG_LEVEL: 'warn', REDIS_URL: '' }, directory)).toEqual({
    LOG_LEVEL: 'warn',
    REDIS_URL: stack.redis,
    DATABASE_URL: stack.mysql,
    AWS_ENDPOINT_URL_DYNAMODB: stack.dynamodb,
    ARTIFACTS_URL: stack.artifacts,
  });
});

test('what the environment names comes first, however it names it', () => {
  writeRunFile(runFilePath(directory), stack);
  const environment = {
    REDIS_CLUSTER_NODES: 'one:7000,two:7000',
    DB_HOST: 'db.example',
    DYNAMODB: 'aws',
    ARTIFACTS_BUCKET: 'bucket',
  };
  expect(environmentOfRunningStack(environment, directory)).toEqual(environment);
});

test('without a stack the environment stays as it is', () => {
  expect(environmentOfRunningStack({ LOG_LEVEL: 'warn' }, directory)).toEqual({ LOG_LEVEL: 'warn' });
});
