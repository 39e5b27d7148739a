import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readRunFile, readStack, runFilePath } from '../../shared/config/run-file.ts';
import { environmentWithAddresses } from '../../shared/config/stack-addresses.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { runPresage } from '../support/run-presage.ts';
import { anyAlive, mainFile, pidsOf, runUp } from '../support/run-up.ts';
import { until } from '../support/until.ts';

const queue = 'call-time-prediction';
const queues = allQueues.map(({ name }) => name);
/** Somebody who could be asked for insights, pages and patterns. Nobody is, here. */
const withModel = { USE_BEDROCK: 'false', OPENAI_API_KEY: 'sk-none', TOGETHER_AI_KEY: 'none' };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'presage-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const isLive = (url: string) =>
  fetch(`${url}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );

test('two stacks at once; SIGTERM ends each with everything that it started', async () => {
  const temporary = await mkdtemp(path.join(directory, 'tmp-'));
  const environment = { ...withModel, TMPDIR: temporary };
  await using first = await runUp(directory, ['--ephemeral'], environment);
  await using second = await runUp(directory, ['--ephemeral'], environment);
  const [one, two] = [first.stack(), second.stack()];

  for (const part of ['api', 'dashboard', 'redis', 'mysql', 'dynamodb', 'artifacts'] as const) {
    expect(one[part]).not.toBe(two[part]);
    expect(first.stdout()).toContain(one[part]);
  }
  const processes = ['api', 'dashboard', 'cron', 'relay', ...queues].sort();
  expect(Object.keys(one.health).sort()).toEqual(processes);
  expect(Object.keys(one.pids).sort()).toEqual([...processes, 'redis', 'mysql', 'dynamodb'].sort());
  for (const url of Object.values(one.health).flat()) expect(await isLive(url)).toBe(true);
  expect((await stat(first.readyFile)).mode & 0o077).toBe(0);
  expect(readRunFile(directory)).toEqual(one); // who came first keeps the folder
  const models = await runPresage(['models', 'list', '--json'], environmentWithAddresses({}, one));
  expect(JSON.parse(models.output)).toMatchObject({
    models: [
      { model_id: 'lead-conversion', champion: '1.0.0' },
      { model_id: 'macro-effects', champion: '1.0.0' },
    ],
  });
  const served: unknown = await (await fetch(`${one.model_serving}/models`)).json();
  expect(served).toEqual({
    models: [
      { model_id: 'lead-conversion', model_type: 'binary_classifier', version: '1.0.0' },
      { model_id: 'macro-effects', model_type: 'hybrid_causal_model', version: '1.0.0' },
    ],
  });

  first.signal('SIGTERM');
  second.signal('SIGTERM');
  expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0]);
  expect(anyAlive([...pidsOf(one), ...pidsOf(two)])).toBe(false);
  expect(first.stdout() + second.stdout()).not.toMatch(/^(warn|fail) /m); // nothing to be mended
  expect(existsSync(fileURLToPath(one.artifacts))).toBe(false);
  expect(await readdir(temporary)).toEqual([]);
  expect(existsSync(runFilePath(directory))).toBe(false);
});

test('what is killed comes back on the same address, and the files say so', async () => {
  await using up = await runUp(directory);
  const before = up.stack();
  const killed = ['redis', 'api', 'dashboard', queue];
  for (const name of killed) process.kill(before.pids[name]?.[0] ?? 0, 'SIGKILL');
  await until(() => {
    const { pids, health } = up.stack();
    const isNew = (name: string) => pids[name]?.length === 1 && pids[name][0] !== before.pids[name]?.[0];
    return killed.every(isNew) && Object.values(health).every(({ length }) => length === 1);
  });
  const after = up.stack();
  expect(readStack(runFilePath(directory))).toEqual(after);
  expect({ ...after, pids: {}, health: {} }).toEqual({ ...before, pids: {}, health: {} });
  for (const url of Object.values(after.health).flat()) expect(await isLive(url)).toBe(true);

  const another = await runUp(directory);
  expect(await another.ended).toBe(1);
  expect(another.stderr()).toContain(`another \`presage up\` (process ${up.pid})`);
  expect(readRunFile(directory)).toEqual(after);

  up.signal('SIGINT');
  expect(await up.ended).toBe(0);
  expect(anyAlive([...pidsOf(before), ...pidsOf(after)])).toBe(false);
  expect(existsSync(runFilePath(directory))).toBe(false);
});

test('SIGKILL of `up` leaves no process behind; the next one has the same data at the same addresses', async () => {
  const ownerSchema = z.object({ guard: z.object({ pid: z.int() }) });
  const first = await runUp(directory);
  const before = first.stack();
  const owner = ownerSchema.parse(
    JSON.parse(await readFile(path.join(directory, '.presage/owner.json'), 'utf8')),
  );
  process.kill(-first.pid, 'SIGKILL'); // with everything in its foreground group
  expect(await first.ended).toBeNull();

  await using second = await runUp(directory);
  const after = second.stack();
  expect(anyAlive([...pidsOf(before), owner.guard.pid])).toBe(false);
  expect({ ...after, api: '', dashboard: '', model_serving: '', pids: {}, health: {}, up: {} }).toEqual({
    ...before,
    api: '',
    dashboard: '',
    model_serving: '',
    pids: {},
    health: {},
    up: {},
  });
});

test('a second signal, when the first takes too long, kills everything at once', async () => {
  await using up = await runUp(directory);
  const stack = up.stack();
  process.kill(stack.pids['relay']?.[0] ?? 0, 'SIGSTOP'); // it will not answer SIGTERM
  up.signal('SIGTERM');
  await until(() => !anyAlive(stack.pids[queue] ?? []));
  // A signal soon after the first is taken for the same one, so ask until it is heard.
  await until(() => {
    up.signal('SIGTERM');
    return !anyAlive([up.pid]);
  });
  expect(await up.ended).toBe(1);
  await until(() => !anyAlive(pidsOf(stack)));
});

test('a Ctrl-C while it starts', async () => {
  const child = spawn(process.execPath, [mainFile, 'up', '--port', '0', '--ephemeral'], {
    cwd: directory,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, TMPDIR: directory },
  });
  const ended = once(child, 'exit');
  const started = async () => (await readdir(directory)).some((name) => name.startsWith('presage-'));
  await until(started);
  child.kill('SIGINT');
  await ended;
  expect(child.exitCode).toBe(0);
  expect(await readdir(directory)).toEqual([]);
});

test('what the environment names is used, and its password is not shown', async () => {
  const redis = new URL(process.env['TEST_REDIS_URL'] ?? '');
  const replicas = ['--workers', queue, '--replicas', `${queue}=2`];
  await using up = await runUp(directory, ['--ephemeral', ...replicas], {
    ...withModel,
    REDIS_URL: redis.href,
    SAGEMAKER_ENDPOINT_NAME: 'call-times',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  });
  const stack = up.stack();
  expect(stack.redis).toBe(redis.href);
  expect(stack.pids).not.toHaveProperty('redis');
  expect(stack.pids[queue]).toHaveLength(2);
  expect(stack.health[queue]).toHaveLength(2);
  await until(() => up.stdout().includes(redis.host));
  // What `presage doctor` would find amiss, and only that.
  await until(() => up.stdout().includes('fail  sagemaker credentials  no AWS credentials'));
  expect(up.stdout().match(/^(ok|warn|fail) /gm)).toHaveLength(1);
  expect(up.stdout()).not.toContain(redis.password);
});

test('an unknown worker is wrong usage', async () => {
  const up = await runUp(directory, ['--workers', 'nope']);
  expect(await up.ended).toBe(2);
  expect(up.stderr()).toContain('There is no worker nope. The workers are: ');
});

test('a port that is taken is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const up = await runUp(directory, ['--port', String(port)]);
  server.close();
  expect(await up.ended).toBe(1);
  expect(up.stderr()).toContain(`Port ${port} on 127.0.0.1 is taken.`);
});

test('bad settings of any process are told before anything is started', async () => {
  const up = await runUp(directory, ['--ephemeral'], {
    SAGEMAKER_ENDPOINT_NAME: '-',
    LEDGER_RETENTION_DAYS: 'some',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere',
    TMPDIR: directory,
  });
  expect(await up.ended).toBe(1);
  for (const name of ['SAGEMAKER_ENDPOINT_NAME', 'LEDGER_RETENTION_DAYS', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
    expect(up.stderr()).toContain(`${name}: must be`);
  }
  expect(up.stderr()).not.toContain('cannot be started');
  expect(await readdir(directory)).toEqual([]);
});

test('a process that cannot start ends everything, and is named', async () => {
  const up = await runUp(directory, ['--ephemeral'], {
    NODE_OPTIONS: "--import=data:text/javascript,if(process.argv[2]==='relay')process.exit(1)",
    TMPDIR: directory,
  });
  expect(await up.ended).toBe(1);
  expect(up.stderr()).toContain('relay cannot be started: it ended with exit code 1');
  expect(await readdir(directory)).toEqual([]);
});
