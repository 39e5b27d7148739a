import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { leadModelId, leadScoresSchema, leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import { writeLeads } from '../../../shared/leads/write-leads.ts';
import { apiOptions } from '../../support/api-options.ts';
import { predictPath } from '../../support/open-lead-api.ts';
import { openLeadWorker } from '../../support/open-lead-worker.ts';
import { openModelRoom, type ModelRoom } from '../../support/open-model-room.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { byId, sampleLeads, type SampleLead } from '../../support/sample-leads.ts';
import { until } from '../../support/until.ts';

let models: ModelRoom;
let fleet: TestFleet;
let server: HttpServer;
let leads: SampleLead[];
let resources: AsyncDisposableStack;
beforeEach(async () => {
  models = await openModelRoom();
  fleet = await openTestFleet([leadScoring]);
  server = await buildServer(apiOptions(fleet));
  leads = await sampleLeads();
  const rows = Object.entries(byId(leads)).map(([leadId, features]) => ({
    lead_id: leadId,
    features: JSON.stringify(features),
    updated_at: new Date(),
  }));
  await writeLeads(fleet.database.db, rows);
  resources = new AsyncDisposableStack();
});
afterEach(async () => {
  await resources.disposeAsync();
  await server.close();
  await fleet[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

const get = (path: string) => server.inject(`/ai/advanced-ml/${path}`);
const predict = (body: object) => server.inject({ method: 'POST', url: predictPath, payload: body });
const answerSchema = leadScoresSchema.extend({ request_id: z.string() }).strict();

/** A worker with a version of the model, once it has told so. */
async function openReadyWorker(): Promise<void> {
  await models.promote('1.0.0');
  await openLeadWorker(fleet, models.environment, resources);
  await until(async () => (await get('health')).statusCode === 200);
}

test('leads are scored, with every documented field; one that is unknown fails alone', async () => {
  await openReadyWorker();
  const unknown = `lead-${randomUUID()}`;
  const [first] = leads;
  const ids = [...leads.map(({ leadId }) => leadId), unknown, '', first?.leadId ?? ''];
  const response = await predict(ids);
  expect(response.statusCode).toBe(200);
  const answer = answerSchema.parse(response.json());
  expect(answer.predictions.map(({ lead_id }) => lead_id)).toEqual(leads.map(({ leadId }) => leadId));
  for (const [index, { probability, confidence }] of answer.predictions.entries()) {
    expect(probability).toBeCloseTo(leads[index]?.probability ?? Number.NaN, 5);
    expect(confidence).toBeGreaterThanOrEqual(0.5);
  }
  expect(answer.errors).toEqual([
    { lead_id: unknown, code: 'LEAD_NOT_FOUND', message: expect.any(String) },
    { lead_id: '', code: 'INVALID_LEAD_ID', message: expect.any(String) },
  ]);
  expect(answer).toMatchObject({
    schema_version: 'v1',
    contract_version: 1,
    model_id: leadModelId,
    model_version: '1.0.0',
    model_sha256: (await models.stores.registry.find(leadModelId, 'champion'))?.manifestSha256,
    calibration_metadata: { method: 'sigmoid' },
    request_id: response.headers['x-request-id'],
  });

  const again = answerSchema.parse((await predict({ lead_ids: ids })).json());
  expect({ ...again, request_id: answer.request_id }).toEqual(answer);
  expect(again.request_id).not.toBe(answer.request_id);
});

test('health and models tell what the workers have loaded, while there are any', async () => {
  for (const path of ['health', 'models']) {
    const none = await get(path);
    expect(none.statusCode).toBe(503);
    expect(none.json()).toMatchObject({ code: 'MODEL_NOT_READY' });
    expect(none.headers['retry-after']).toBe('5');
  }
  await openReadyWorker();
  const loaded = {
    model_id: leadModelId,
    version: '1.0.0',
    sha256: (await models.stores.registry.find(leadModelId, 'champion'))?.manifestSha256,
    n_features: 19,
    loaded_at: expect.any(String),
  };
  expect((await get('health')).json()).toEqual({
    status: 'healthy',
    ...loaded,
    workers: { ready: 1, degraded: 0, not_ready: 0 },
  });
  expect((await get('models')).json()).toEqual({ models: [{ status: 'ready', ...loaded, workers: 1 }] });
  await resources.disposeAsync();
  expect((await get('health')).statusCode).toBe(503);
});
