import { setTimeout as delay } from 'node:timers/promises';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

const body = (id = 'a') => ({ contacts: [{ id, phoneNumber: '+972501234567' }] });
const result = { predictions: [], errors: [] };

let fleet: TestFleet;
let server: HttpServer;
beforeEach(async () => {
  fleet = await openTestFleet([callTimePrediction]);
  server = await buildServer(apiOptions(fleet));
});
afterEach(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
});

function submit(key: string, payload: object, { query = '', on = server } = {}) {
  return on.inject({
    method: 'POST',
    url: `/v1/call-times${query}`,
    headers: { 'idempotency-key': key },
    payload,
  });
}

test('the same request 50 times in parallel makes one job', async () => {
  const responses = await Promise.all(Array.from({ length: 50 }, () => submit('"order-1"', body())));
  expect(responses.map((response) => response.statusCode)).toEqual(responses.map(() => 202));
  expect(new Set(responses.map((response) => response.body)).size).toBe(1);
  expect(await fleet.ledger.list({ limit: 10 })).toHaveLength(1);
});

test('quoted and bare are the same key; another body with it is refused', async () => {
  const first = await submit('"order-2"', body());
  expect((await submit('order-2', body())).body).toBe(first.body);
  const other = await submit('order-2', body('b'));
  expect(other.statusCode).toBe(422);
  expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
  expect(await fleet.ledger.list({ limit: 10 })).toHaveLength(1);
});

test('the first answer is replayed, by another process too', async () => {
  fleet.consume(callTimePrediction, { start: () => delay(20, result) });
  const waited = await submit('order-3', body(), { query: '?wait_ms=30000' });
  expect(waited.statusCode).toBe(200);
  await using restarted = await buildServer(apiOptions(fleet));
  const replayed = await submit('order-3', body(), { on: restarted });
  expect(replayed.statusCode).toBe(200);
  expect(replayed.json()).toEqual(result);
  expect(replayed.headers.location).toBe(waited.headers.location);
});

test('while the first request is unanswered, the same one is told so', async () => {
  const release = Promise.withResolvers<typeof result>();
  fleet.consume(callTimePrediction, { start: () => release.promise });
  const first = submit('order-4', body(), { query: '?wait_ms=30000' });
  while ((await fleet.ledger.list({ limit: 1 })).length === 0) await delay(5);
  const second = await submit('order-4', body(), { query: '?wait_ms=30000' });
  expect(second.statusCode).toBe(409);
  expect(second.json()).toMatchObject({ code: 'IN_PROGRESS' });
  release.resolve(result);
  expect((await first).statusCode).toBe(200);
  expect((await submit('order-4', body())).statusCode).toBe(200);
});

test('a first request whose process died is answered with its job once its time is over', async () => {
  await submit('order-5', body());
  await fleet.database.db
    .updateTable('idempotency_keys')
    .set({ answer_status: null, answer_due_at: new Date(Date.now() - 1) })
    .execute();
  expect((await submit('order-5', body())).statusCode).toBe(202);
  expect(await fleet.ledger.list({ limit: 10 })).toHaveLength(1);
});

test('after 24 hours a key is new again', async () => {
  const first = await submit('order-6', body());
  await fleet.database.db
    .updateTable('idempotency_keys')
    .set({ expires_at: new Date(Date.now() - 1) })
    .execute();
  const second = await submit('order-6', body('b'));
  expect(second.statusCode).toBe(202);
  expect(second.body).not.toBe(first.body);
  expect((await submit('order-6', body('b'))).body).toBe(second.body);
});

test.each(['', '""', 'x'.repeat(256), 'a\u00e9'])('the key %j is refused', async (key) => {
  const response = await submit(key, body());
  expect(response.statusCode).toBe(422);
  expect(response.json()).toMatchObject({ detail: expect.stringContaining('Idempotency-Key') });
});
