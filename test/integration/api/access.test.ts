import { createHash } from 'node:crypto';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { processSettings } from '../../../shared/config/process-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const secrets = { shop: 'shop-secret-1', viewer: 'viewer-secret-2', operator: 'operator-secret-3' };
const environment = {
  PRESAGE_API_KEYS: [
    `shop:produce:${sha256(secrets.shop)}`,
    `viewer:read:${sha256(secrets.viewer)}`,
    `operator:produce+read+operate:${sha256(secrets.operator)}`,
  ].join(','),
  CORS_ORIGINS: 'https://shop.example',
  API_REQUESTS_PER_MINUTE: '40',
};
const { access } = readSettings({ process: processSettings }, environment).process;
const body = { contacts: [{ id: 'a', phoneNumber: '+972501234567' }] };

let fleet: TestFleet;
let server: HttpServer;
beforeAll(async () => {
  fleet = await openTestFleet([callTimePrediction]);
});
afterAll(() => fleet[Symbol.asyncDispose]());
beforeEach(async () => {
  server = await buildServer(apiOptions(fleet, { access }));
});
afterEach(() => server.close());

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const submit = (headers: Record<string, string>) =>
  server.inject({ method: 'POST', url: '/v1/call-times', headers, payload: body });
const jobUrl = '/v1/jobs/018f0000-0000-7000-8000-000000000000';

test.each([
  ['POST', '/v1/call-times'],
  ['GET', '/v1/call-times/+972501234567'],
  ['POST', '/v1/alerts'],
  ['GET', '/v1/insights/stu_4532'],
  ['GET', '/v1/jobs'],
  ['GET', jobUrl],
  ['GET', `${jobUrl}/events`],
  ['POST', `${jobUrl}/cancel`],
  ['POST', `${jobUrl}/retry`],
  ['GET', '/openapi.json'],
  ['GET', '/docs/'],
  ['GET', '/v1/nothing'],
] as const)('%s %s needs a key', async (method, url) => {
  for (const headers of [{}, bearer('wrong'), { 'x-api-key': '' }, { authorization: 'Basic c2hvcDpzaG9w' }]) {
    const response = await server.inject({ method, url, headers });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
  }
});

test.each(['/health/live', '/health/ready', '/metrics'])('%s needs none', async (url) => {
  expect((await server.inject(url)).statusCode).toBe(200);
});

test('a key may do what its scopes say, presented either way', async () => {
  expect((await submit(bearer(secrets.shop))).statusCode).toBe(202);
  expect((await submit({ 'x-api-key': secrets.shop })).statusCode).toBe(202);
  const refused = await submit(bearer(secrets.viewer));
  expect(refused.statusCode).toBe(403);
  expect(refused.json()).toMatchObject({ code: 'FORBIDDEN', detail: expect.stringContaining('produce') });
  expect((await server.inject({ url: '/v1/jobs', headers: bearer(secrets.viewer) })).statusCode).toBe(200);
  expect((await server.inject({ url: '/v1/jobs', headers: bearer(secrets.shop) })).statusCode).toBe(403);
  const retry = (key: string) =>
    server.inject({ method: 'POST', url: `${jobUrl}/retry`, headers: bearer(key) });
  expect((await retry(secrets.viewer)).statusCode).toBe(403);
  expect((await retry(secrets.operator)).statusCode).toBe(404);
});

test('alerts need the scope that produces, insights the one that reads', async () => {
  const status = async (method: 'GET' | 'POST', url: string, key: string) =>
    (await server.inject({ method, url, headers: bearer(key) })).statusCode;
  expect(await status('POST', '/v1/alerts', secrets.viewer)).toBe(403);
  expect(await status('POST', '/v1/alerts', secrets.shop)).toBe(422);
  expect(await status('GET', '/v1/insights/stu_4532', secrets.shop)).toBe(403);
  expect(await status('GET', '/v1/insights/stu_4532?limit=0', secrets.viewer)).toBe(422);
});

test('a page of another origin cannot change state, a listed one and the own one can', async () => {
  const post = (origin: string) => submit({ ...bearer(secrets.operator), origin, host: '127.0.0.1:8080' });
  expect((await post('https://evil.example')).statusCode).toBe(403);
  expect((await post('null')).statusCode).toBe(403);
  const listed = await post('https://shop.example');
  expect(listed.statusCode).toBe(202);
  expect(listed.headers['access-control-allow-origin']).toBe('https://shop.example');
  expect(listed.headers['access-control-expose-headers']).toContain('X-Request-Id');
  expect((await post('http://127.0.0.1:8080')).statusCode).toBe(202);
});

test('preflight is answered for listed origins only, without a key', async () => {
  const preflight = (origin: string) =>
    server.inject({
      method: 'OPTIONS',
      url: '/v1/call-times',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
  const allowed = await preflight('https://shop.example');
  expect(allowed.statusCode).toBe(204);
  expect(allowed.headers['access-control-allow-origin']).toBe('https://shop.example');
  expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
});

test('a key that asks too often is told to wait; another one is not', async () => {
  const statuses = [];
  for (let request = 0; request < 45; request += 1) {
    statuses.push((await server.inject({ url: '/v1/jobs', headers: bearer(secrets.viewer) })).statusCode);
  }
  expect(statuses.filter((status) => status === 200)).toHaveLength(40);
  const limited = await server.inject({ url: '/v1/jobs', headers: bearer(secrets.viewer) });
  expect(limited.statusCode).toBe(429);
  expect(limited.json()).toMatchObject({ code: 'RATE_LIMITED' });
  expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
  expect((await server.inject({ url: '/v1/jobs', headers: bearer(secrets.operator) })).statusCode).toBe(200);
  expect((await server.inject('/health/live')).statusCode).toBe(200);
});

test('keys are in no log line and in no answer', async () => {
  await submit(bearer(secrets.shop));
  const wrong = await submit(bearer('some-other-secret'));
  const everything = fleet.logLines.join('') + wrong.body;
  for (const secret of [...Object.values(secrets), 'some-other-secret'])
    expect(everything).not.toContain(secret);
});

describe('without keys', () => {
  test('only names of this machine are answered', async () => {
    await using open = await buildServer(apiOptions(fleet));
    const get = (host: string) => open.inject({ url: '/v1/jobs', headers: { host } });
    for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080', 'localhost']) {
      expect((await get(host)).statusCode).toBe(200);
    }
    for (const host of ['rebound.example:8080', '10.0.0.5', '127.0.0.1.evil.example']) {
      expect((await get(host)).statusCode).toBe(403);
    }
    expect((await open.inject({ url: '/health/ready', headers: { host: 'api:8080' } })).statusCode).toBe(200);
  });

  test('any name is answered in a trusted network', async () => {
    await using open = await buildServer(
      apiOptions(fleet, {
        access: { keys: [], trustedNetwork: true, corsOrigins: [], requestsPerMinute: 1 },
      }),
    );
    expect((await open.inject({ url: '/v1/jobs', headers: { host: 'api:8080' } })).statusCode).toBe(200);
  });
});

test.each([
  ['nonsense', 'name:scopes:sha256'],
  [`shop:everything:${sha256('x')}`, 'name:scopes:sha256'],
  [`shop:read:${sha256('x')},shop:read:${sha256('y')}`, 'names shop twice'],
])('PRESAGE_API_KEYS=%s is refused', (value, reason) => {
  expect(() => readSettings({ process: processSettings }, { PRESAGE_API_KEYS: value })).toThrow(reason);
});
