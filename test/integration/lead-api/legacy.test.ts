import { createLegacyCircuit } from '../../../producers/api/create-legacy-circuit.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import type { Circuit } from '../../../shared/circuit/create-circuit.ts';
import { leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import { createQueueLimit } from '../../../shared/queue/create-queue-limit.ts';
import { apiOptions } from '../../support/api-options.ts';
import {
  emptyScores,
  legacyPath,
  openLeadApi,
  predictPath,
  type LeadApi,
} from '../../support/open-lead-api.ts';
import { until } from '../../support/until.ts';

const failuresToOpen = 5;

let api: LeadApi;
beforeEach(async () => {
  api = await openLeadApi();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await api[Symbol.asyncDispose]();
});

const jobs = () => api.fleet.ledger.list({ limit: 10 });

/** Asks as often as opens the circuit, each time without a model. */
async function fail(on = api.server): Promise<void> {
  await api.forgetTold();
  for (let request = 0; request < failuresToOpen; request += 1) {
    const response = await api.post(legacyPath, ['lead_1'], { on });
    expect(response.json()).toMatchObject({ code: 'MODEL_NOT_READY' });
  }
}

test('answers what its successor answers, and names it', async () => {
  await api.tell();
  api.fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  const headers = { 'x-request-id': 'request.1' };
  const legacy = await api.post(legacyPath, ['lead_1'], { headers });
  const hardened = await api.post(predictPath, ['lead_1'], { headers });
  expect(legacy.statusCode).toBe(200);
  expect(legacy.body).toBe(hardened.body);
  expect(legacy.headers.deprecation).toMatch(/^@\d+$/);
  expect(new Date(Number(legacy.headers.deprecation?.toString().slice(1)) * 1_000).toISOString()).toBe(
    '2025-01-27T00:00:00.000Z',
  );
  expect(legacy.headers.link).toBe('</ai/advanced-ml/predict-batch>; rel="successor-version"');
  expect(hardened.headers).not.toHaveProperty('deprecation');
  const refused = await api.post(legacyPath, { lead_ids: 5 });
  expect(refused.statusCode).toBe(422);
  expect(refused.headers.deprecation).toBe(legacy.headers.deprecation);
});

test('keeps failing: its circuit opens, nothing is asked, and nothing else answers', async () => {
  // The clocks by which the circuit goes stand still, however long all this takes.
  jest.spyOn(Date, 'now').mockReturnValue(Date.now());
  jest.spyOn(performance, 'now').mockReturnValue(performance.now());
  await fail();
  await api.tell();
  const refused = await api.post(legacyPath, ['lead_1']);
  expect(refused.statusCode).toBe(503);
  expect(refused.json()).toMatchObject({ code: 'CIRCUIT_OPEN' });
  const seconds = Number(refused.headers['retry-after']);
  expect(Number.isInteger(seconds)).toBe(true);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(10);
  expect(refused.headers.deprecation).toBeDefined();
  expect(await jobs()).toEqual([]);

  jest.restoreAllMocks();
  // The successor has no circuit: it goes on asking.
  api.fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  expect((await api.post(predictPath, ['lead_1'])).statusCode).toBe(200);
  const metrics = (await api.server.inject('/metrics')).body;
  expect(metrics).toContain('presage_circuit_state{circuit="advanced-ml-legacy"} 2');
});

test('the circuit closes once a request succeeds', async () => {
  const legacyCircuit = createLegacyCircuit({ ...api.fleet, halfOpenAfterMs: 0 });
  await using server = await buildServer(apiOptions(api.fleet, { legacyCircuit }));
  await fail(server);
  await api.tell();
  api.fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  for (let request = 0; request < 2; request += 1) {
    expect((await api.post(legacyPath, ['lead_1'], { on: server })).statusCode).toBe(200);
  }
  const metrics = (await server.inject('/metrics')).body;
  expect(metrics).toContain('presage_circuit_state{circuit="advanced-ml-legacy"} 0');
});

test('what callers did wrong does not open it', async () => {
  await api.tell();
  for (let request = 0; request < failuresToOpen; request += 1) {
    expect((await api.post(legacyPath, { lead_ids: 5 })).statusCode).toBe(422);
  }
  await api.forgetTold();
  expect((await api.post(legacyPath, ['lead_1'])).json()).toMatchObject({ code: 'MODEL_NOT_READY' });
});

test('a full queue does not open it: whoever waits a little is served', async () => {
  const queueLimit = createQueueLimit(api.fleet.ledger, 1);
  await using server = await buildServer(apiOptions(api.fleet, { queueLimit }));
  await api.tell();
  await api.fleet.enqueue.enqueue(leadScoring, { lead_ids: ['lead_1'] });
  for (let request = 0; request <= failuresToOpen; request += 1) {
    const response = await api.post(legacyPath, ['lead_1'], { on: server });
    expect(response.json()).toMatchObject({ code: 'QUEUE_FULL' });
  }
});

test('callers who hang up do not open it', async () => {
  const circuit = createLegacyCircuit(api.fleet);
  const outcomes: unknown[] = [];
  const legacyCircuit: Circuit = {
    ...circuit,
    execute: (call, signal) =>
      circuit.execute(call, signal).catch((error: unknown) => {
        outcomes.push(error);
        throw error;
      }),
  };
  await using server = await buildServer(apiOptions(api.fleet, { legacyCircuit }));
  await api.tell();
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  for (let request = 1; request <= failuresToOpen; request += 1) {
    await api.tell();
    const gone = new AbortController();
    const asked = fetch(`${url}${legacyPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '["lead_1"]',
      signal: gone.signal,
    });
    await until(async () => (await jobs()).length === request);
    gone.abort();
    await expect(asked).rejects.toThrow();
    await until(() => outcomes.length === request);
    expect(outcomes.at(-1)).toMatchObject({ code: 'STILL_QUEUED', kind: 'cancelled' });
  }
  await api.forgetTold();
  expect((await api.post(legacyPath, ['lead_1'], { on: server })).json()).toMatchObject({
    code: 'MODEL_NOT_READY',
  });
});

test('has its own tag, and is marked as deprecated', async () => {
  expect((await api.server.inject('/openapi.json')).json()).toMatchObject({
    paths: { [legacyPath]: { post: { tags: ['advanced ml (legacy)'], deprecated: true } } },
  });
});

test('switched off, it is not there', async () => {
  await using server = await buildServer(apiOptions(api.fleet, { legacyCircuit: undefined }));
  await api.tell();
  const response = await api.post(legacyPath, ['lead_1'], { on: server });
  expect(response.statusCode).toBe(404);
  expect(response.json()).toMatchObject({ code: 'NOT_FOUND' });
  const document = (await server.inject('/openapi.json')).body;
  expect(document).toContain(predictPath);
  expect(document).not.toContain('legacy');
});
