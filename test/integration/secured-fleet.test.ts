import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../shared/config/read-settings.ts';
import { newContacts } from '../support/open-running-fleet.ts';
import { openSecuredStores, type SecuredStores } from '../support/open-secured-stores.ts';
import { runPresageProcess } from '../support/run-presage-process.ts';
import { runUp } from '../support/run-up.ts';
import { startProcess } from '../support/start-process.ts';
import { until } from '../support/until.ts';

let directory: string;
let stores: SecuredStores;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'presage-test-'));
  stores = await openSecuredStores();
});
afterAll(async () => {
  await stores[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Nobody is asked here; without an endpoint the default patterns answer. */
const withoutVendors = { USE_BEDROCK: 'false', OPENAI_API_KEY: 'sk-none', TOGETHER_AI_KEY: 'none' };
const healthSchema = z.object({ checks: z.record(z.string(), z.string()) });

test('the whole fleet works on a Redis and a MySQL that take TLS only, with a user who may do little', async () => {
  const authority = { NODE_EXTRA_CA_CERTS: stores.files.authority };
  await using up = await runUp(directory, [], {
    ...withoutVendors,
    ...authority,
    REDIS_URL: stores.redisUrl,
    CACHE_REDIS_URL: stores.redisUrl,
    DATABASE_URL: stores.mysqlUrl,
    DB_TLS: 'true',
  });
  const { api, dashboard, health } = up.stack();
  for (let time = 0; time < 2; time += 1) {
    const response = await fetch(`${api}/v1/call-times?wait_ms=30000`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ contacts: newContacts(3) }),
    });
    expect(await response.json()).toMatchObject({ errors: [], predictions: [{}, {}, {}] });
  }
  for (const url of Object.values(health).flat()) {
    const { checks } = healthSchema.parse(await (await fetch(`${url}/health/ready`)).json());
    expect({ ...checks, sagemaker: 'ok' }).toEqual(
      Object.fromEntries([...Object.keys(checks), 'sagemaker'].map((name) => [name, 'ok'])),
    );
  }
  const queues = z.object({ queues: z.array(z.object({ name: z.string() })) });
  const board: unknown = await (await fetch(`${dashboard}/queues/api/queues`)).json();
  expect(queues.parse(board).queues).toHaveLength(6);
  // In the folder of a running stack the addresses are known, TLS with them; the authority is everybody's own matter.
  // A process on a busy machine may take longer than the stores are waited for.
  const works = async (...argv: string[]) =>
    (await runPresageProcess(argv, authority, directory)).exitCode === 0;
  await until(() => works('queues', '--json'));
  await until(() => works('jobs', 'list', '--json'));
  const refused = await runPresageProcess(['jobs', 'list'], {}, directory);
  expect(refused).toMatchObject({
    exitCode: 1,
    messages: expect.stringMatching(
      /^MySQL does not answer \(HANDSHAKE_SSL_ERROR\).*presage doctor/,
    ) as unknown,
  });
}, 300_000);

test('a process that trusts nobody says what is wrong at its start, and is not ready', async () => {
  const environment: Environment = {
    ...withoutVendors,
    REDIS_URL: stores.redisUrl,
    DATABASE_URL: stores.mysqlUrl,
    DB_TLS: 'true',
    HEALTH_PORT: '0',
  };
  await using relay = startProcess(['relay'], environment, directory);
  const { health_url: url } = await relay.line('ready');
  const response = await fetch(`${url}/health/ready`);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ checks: { mysql: 'failed', redis: 'degraded' } });
  expect((await relay.line('Redis is away')).finding).toMatch(
    /^the certificate of localhost:\d+ is not accepted \(SELF_SIGNED_CERT_IN_CHAIN\)$/,
  );
  expect((await relay.line('MySQL is away')).finding).toMatch(
    /^the certificate of localhost:\d+ is not accepted \(HANDSHAKE_SSL_ERROR\)$/,
  );
  expect(relay.stderr()).not.toContain('a-word');
});
