import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { findFreePort } from '../../../shared/embedded/find-free-port.ts';
import { readinessSchema, type ReadinessCheck } from '../../../shared/process/health-routes.ts';
import { openHealthServer } from '../../../shared/process/open-health-server.ts';
import { createTestDatabase } from '../../support/create-test-database.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { runPresage } from '../../support/run-presage.ts';
import { startProcess } from '../../support/start-process.ts';

// The probe of a container: `presage health` asks the process with the same HEALTH_PORT.

async function openProcess(checkReadiness: ReadinessCheck) {
  const server = await openHealthServer({
    host: '127.0.0.1',
    port: 0,
    registry: new Registry(),
    checkReadiness,
  });
  return {
    port: new URL(server.url).port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test.each([
  ['everything is well', { mysql: 'ok', redis: 'ok' }, 0, 'ready\n', ''],
  ['something is degraded', { mysql: 'ok', llm: 'degraded' }, 0, 'ready, llm degraded\n', ''],
  [
    'something failed',
    { mysql: 'failed', redis: 'degraded', llm: 'ok' },
    1,
    '',
    'not ready: mysql failed, redis degraded\n',
  ],
] as const)('says how a process is when %s', async (_case, checks, exitCode, output, messages) => {
  await using server = await openProcess(() => Promise.resolve({ ...checks }));
  const run = await runPresage(['health'], { HEALTH_PORT: server.port });
  expect(run).toEqual({ exitCode, output, messages });
});

test.each([
  ['', 'http://127.0.0.1:'],
  ['0.0.0.0', 'http://127.0.0.1:'],
  ['::', 'http://[::1]:'],
  ['::1', 'http://[::1]:'],
  ['127.0.0.7', 'http://127.0.0.7:'],
])('with HOST=%s it asks %s', async (host, address) => {
  const port = String(await findFreePort());
  const run = await runPresage(['health'], { HOST: host, HEALTH_PORT: port });
  expect(run.exitCode).toBe(1);
  expect(run.messages).toMatch(`No answer from ${address}${port}: `);
});

test('somebody else at that port is not ready', async () => {
  const stranger = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = stranger.address() as AddressInfo;
    const run = await runPresage(['health'], { HEALTH_PORT: String(port) });
    expect(run.exitCode).toBe(1);
    expect(run.messages).toMatch('it answered 200, without any checks');
  } finally {
    stranger.close();
  }
});

test.each([{}, { HEALTH_PORT: '0' }, { HEALTH_PORT: '' }])(
  'without a port there is nobody to ask: %j',
  async (environment: Environment) => {
    const run = await runPresage(['health'], environment);
    expect(run.exitCode).toBe(1);
    expect(run.messages).toMatch('HEALTH_PORT is not set');
  },
);

describe('processes', () => {
  let servers: PrivateServers;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let environment: Environment;
  beforeAll(async () => {
    servers = await openPrivateServers();
    const redis = await servers.startRedis();
    database = await createTestDatabase();
    environment = { REDIS_URL: redis.url, DATABASE_URL: database.url };
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await servers[Symbol.asyncDispose]();
  });

  test.each([
    ['api', 'PORT'],
    ['dashboard', 'DASHBOARD_PORT'],
  ])('%s answers its health routes on HEALTH_PORT and on its own port', async (name, ownPort) => {
    const HEALTH_PORT = String(await findFreePort());
    const own = { ...environment, HEALTH_PORT, [ownPort]: '0' };
    await using server = startProcess([name], own);
    const { url, healthUrl } = await server.addresses();
    expect(new URL(healthUrl).port).toBe(HEALTH_PORT);
    expect(new URL(url).port).not.toBe(HEALTH_PORT);
    for (const address of [url, healthUrl]) {
      expect((await fetch(`${address}/health/live`)).status).toBe(200);
      const ready = await fetch(`${address}/health/ready`);
      expect(await ready.json()).toMatchObject({ status: 'ok', checks: { mysql: 'ok', redis: 'ok' } });
      expect(await (await fetch(`${address}/metrics`)).text()).toMatch('presage_http_request_seconds');
    }
    // Nothing else: this port may be open to more people than the other one.
    expect((await fetch(`${healthUrl}/${name === 'api' ? 'docs' : 'queues'}`)).status).toBe(404);

    await using probe = startProcess(['health'], own);
    expect(await probe.ended).toBe(0);
    expect(probe.stdout()).toBe('ready\n');
  });

  test('without HEALTH_PORT, the API answers them on its own port only', async () => {
    await using server = startProcess(['api'], { ...environment, PORT: '0' });
    const { url, healthUrl } = await server.addresses();
    expect(healthUrl).toBe(url);
  });

  test('workers without keys are ready, and say that they are degraded', async () => {
    const dynamodb = await servers.startDynamodb();
    await using server = startProcess(
      ['worker', 'call-time-prediction', 'churn-insight', 'content-generation', 'pattern-detection'],
      {
        ...environment,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
        // Neither this machine's own credentials nor its role's.
        HOME: '/nonexistent',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    );
    const { healthUrl } = await server.addresses();
    const ready = await fetch(`${healthUrl}/health/ready`);
    const { status, checks } = readinessSchema.parse(await ready.json());
    expect(checks).toMatchObject({ sagemaker: 'degraded', llm: 'degraded', together: 'degraded' });
    expect(server.stderr()).toMatch('SAGEMAKER_ENDPOINT_NAME is not set');
    expect(server.stderr()).toMatch('neither Bedrock nor OpenAI is configured');
    expect(server.stderr()).toMatch('Together AI is not configured');
    expect(status).not.toBe('ok');
  });
});
