import { createHash } from 'node:crypto';
import { processSettings } from '../../../shared/config/process-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { legacyPath, openLeadApi, predictPath } from '../../support/open-lead-api.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';

const healthPath = '/ai/advanced-ml/health';
const modelsPath = '/ai/advanced-ml/models';

test('predictions need the scope that produces, what is loaded the one that reads', async () => {
  const keys = { shop: 'produce', viewer: 'read' };
  const hashed = Object.entries(keys).map(
    ([name, scope]) => `${name}:${scope}:${createHash('sha256').update(name).digest('hex')}`,
  );
  const { access } = readSettings(
    { process: processSettings },
    { PRESAGE_API_KEYS: hashed.join(',') },
  ).process;
  await using api = await openLeadApi(() => ({ access }));
  await api.tell();
  const status = async (method: 'GET' | 'POST', url: string, key?: string) => {
    const headers = key === undefined ? {} : { 'x-api-key': key };
    const payload = method === 'POST' ? { payload: [] } : {};
    return (await api.server.inject({ method, url, headers, ...payload })).statusCode;
  };
  for (const path of [predictPath, legacyPath]) {
    expect(await status('POST', path)).toBe(401);
    expect(await status('POST', path, 'viewer')).toBe(403);
    expect(await status('POST', path, 'shop')).toBe(422);
  }
  for (const path of [healthPath, modelsPath]) {
    expect(await status('GET', path)).toBe(401);
    expect(await status('GET', path, 'shop')).toBe(403);
    expect(await status('GET', path, 'viewer')).toBe(200);
  }
});

test('one of several workers without the right model: degraded, and still answered', async () => {
  await using api = await openLeadApi();
  await api.tell();
  await api.tell();
  await api.tellNotReady();
  await api.tell({ status: 'degraded', version: '0.9.0', sha256: 'e'.repeat(64) });
  const health = await api.server.inject(healthPath);
  expect(health.statusCode).toBe(200);
  expect(health.json()).toMatchObject({
    status: 'degraded',
    version: '1.0.0',
    workers: { ready: 2, degraded: 1, not_ready: 1 },
  });
  const models = await api.server.inject(modelsPath);
  expect(models.json()).toMatchObject({
    models: [
      { status: 'ready', version: '1.0.0', workers: 2 },
      { status: 'degraded', version: '0.9.0', workers: 1 },
    ],
  });
});

describe('while Redis is away', () => {
  let servers: PrivateServers;
  let redis: EmbeddedServer;
  beforeAll(async () => {
    servers = await openPrivateServers();
    redis = await servers.startRedis();
  });
  afterAll(() => servers[Symbol.asyncDispose]());

  test('nobody is kept waiting, and nothing is accepted', async () => {
    await using api = await openLeadApi(undefined, { kind: 'url', url: redis.url });
    await api.tell();
    await redis.stop();
    const responses = [
      await api.post(predictPath, ['lead_1']),
      await api.post(legacyPath, ['lead_1']),
      await api.server.inject(healthPath),
      await api.server.inject(modelsPath),
    ];
    for (const response of responses) {
      expect(response.statusCode).toBe(503);
      expect(response.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(response.headers['retry-after']).toBe('5');
    }
    expect(await api.fleet.ledger.list({ limit: 1 })).toEqual([]);
  });
});
