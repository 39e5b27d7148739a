import { createHash } from 'node:crypto';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { processSettings } from '../../../shared/config/process-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { openDashboard, type TestDashboard } from '../../support/open-dashboard.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const secrets = { viewer: 'viewer-secret-1', operator: 'operator:secret-2' };
const environment = {
  PRESAGE_API_KEYS: `viewer:produce+read:${sha256(secrets.viewer)},operator:operate:${sha256(secrets.operator)}`,
};
const { keys } = readSettings({ process: processSettings }, environment).process.access;
const basic = (key: string, user = '') => ({
  authorization: `Basic ${Buffer.from(`${user}:${key}`).toString('base64')}`,
});

let fleet: TestFleet;
let dashboard: TestDashboard;
let failedId: string;
beforeAll(async () => {
  fleet = await openTestFleet([callTimePrediction]);
  dashboard = await openDashboard(fleet, [callTimePrediction], keys);
  failedId = await fleet.ledger.recordStray({
    queue: callTimePrediction.name,
    payload: '{"contacts":[]}',
    failure: { kind: 'permanent', code: 'GONE', message: 'gone' },
  });
});
afterAll(async () => {
  await dashboard[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
});

const stateOf = async (id: string) => (await fleet.ledger.read(id))?.state;

test.each([
  ['GET', '/'],
  ['GET', '/queues'],
  ['GET', '/queues/api/queues'],
  ['GET', '/queues/static/favicon-32x32.png'],
  ['PUT', '/queues/api/queues/pause'],
  ['GET', '/jobs'],
  ['GET', '/jobs/x'],
  ['POST', '/jobs/x/retry'],
  ['GET', '/ledger.css'],
  ['GET', '/nothing'],
] as const)('%s %s asks for a key with operate', async (method, url) => {
  for (const headers of [{}, basic('wrong'), { authorization: `Bearer ${secrets.operator}` }]) {
    const response = await dashboard.server.inject({ method, url, headers });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Basic realm="Presage"');
  }
  const weak = await dashboard.server.inject({ method, url, headers: basic(secrets.viewer) });
  expect(weak.statusCode).toBe(403);
  const strong = await dashboard.server.inject({ method, url, headers: basic(secrets.operator, 'ann') });
  expect([401, 403]).not.toContain(strong.statusCode);
});

test.each(['/health/live', '/health/ready', '/metrics'])('%s needs no key', async (url) => {
  expect((await dashboard.server.inject(url)).statusCode).toBe(200);
});

test('a page of another origin cannot retry a job, with the key or without', async () => {
  const retry = (origin: string, headers = basic(secrets.operator)) =>
    dashboard.server.inject({
      method: 'POST',
      url: `/jobs/${failedId}/retry`,
      headers: {
        ...headers,
        host: '127.0.0.1:8082',
        origin,
        'content-type': 'application/x-www-form-urlencoded',
      },
    });
  // Pages that may call the API may not steer jobs with the key that the browser remembers for the dashboard.
  for (const origin of ['https://evil.example', 'http://127.0.0.1:8083', 'null', 'https://shop.example']) {
    expect((await retry(origin)).statusCode).toBe(403);
  }
  expect(await stateOf(failedId)).toBe('failed');
  expect((await retry('http://127.0.0.1:8082')).statusCode).toBe(303);
  expect(await stateOf(failedId)).toBe('accepted');
});

test('without keys only names of this machine are answered', async () => {
  await using open = await openDashboard(fleet, [callTimePrediction]);
  const status = async (host: string) =>
    (await open.server.inject({ url: '/jobs', headers: { host } })).statusCode;
  for (const host of ['127.0.0.1:8082', 'localhost:8082', '[::1]:8082']) expect(await status(host)).toBe(200);
  for (const host of ['rebound.example:8082', '10.0.0.5:8082']) expect(await status(host)).toBe(403);
});

test('keys are in no log line and in no answer', async () => {
  const wrong = await dashboard.server.inject({ url: '/jobs', headers: basic('some-other-secret') });
  const right = await dashboard.server.inject({ url: '/jobs', headers: basic(secrets.operator) });
  const everything = fleet.logLines.join('') + wrong.body + right.body;
  for (const secret of [...Object.values(secrets), 'some-other-secret'])
    expect(everything).not.toContain(secret);
});
