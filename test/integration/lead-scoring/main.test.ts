import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigurationError, type Environment } from '../../../shared/config/read-settings.ts';
import {
  leadModelId,
  leadScoresSchema,
  leadScoring,
  type LeadScores,
} from '../../../shared/contracts/lead-scoring.ts';
import { leadScoreCacheKey } from '../../../shared/leads/lead-score-cache-key.ts';
import { writeLeads } from '../../../shared/leads/write-leads.ts';
import { readServedModels } from '../../../shared/models/read-served-models.ts';
import { registeredPrefix } from '../../../shared/models/registered-bundle.ts';
import type { EnqueueOptions } from '../../../shared/queue/enqueue.ts';
import { prepareWorker } from '../../../workers/lead-scoring/main.ts';
import { openLeadWorker } from '../../support/open-lead-worker.ts';
import { openModelRoom, type ModelRoom } from '../../support/open-model-room.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { byId, sampleLeads, type SampleLead } from '../../support/sample-leads.ts';
import { busyMachineMs, until } from '../../support/until.ts';

let models: ModelRoom;
let fleet: TestFleet;
let leads: SampleLead[];
beforeEach(async () => {
  models = await openModelRoom();
  fleet = await openTestFleet([leadScoring]);
  leads = await sampleLeads();
  const rows = Object.entries(byId(leads)).map(([leadId, features]) => ({
    lead_id: leadId,
    features: JSON.stringify(features),
    updated_at: new Date(),
  }));
  await writeLeads(fleet.database.db, rows);
});
afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

const openWorker = (resources: AsyncDisposableStack, environment: Environment = {}) =>
  openLeadWorker(fleet, { ...models.environment, ...environment }, resources);
const reports = () =>
  readServedModels(fleet.redis.client, fleet.keys.servedModels(leadScoring.name), Date.now());
const announce = () => fleet.redis.client.publish(fleet.keys.modelsChannel(), leadModelId);
const payload = () => ({ lead_ids: leads.map(({ leadId }) => leadId) });

async function scored(options: EnqueueOptions = {}): Promise<LeadScores> {
  const { id } = await fleet.enqueue.enqueue(leadScoring, payload(), {
    ...options,
    replyTo: fleet.results.name,
  });
  const settled = await fleet.results.wait(id, busyMachineMs);
  return leadScoresSchema.parse(settled?.result);
}

test('without a model jobs wait, unspent; they are done as soon as one is promoted', async () => {
  await using resources = new AsyncDisposableStack();
  const check = await openWorker(resources);
  expect(await check()).toEqual({ model: 'failed' });
  await until(async () => (await reports()).length === 1);
  expect(await reports()).toEqual([{ status: 'not_ready', model_id: leadModelId, at: expect.any(String) }]);
  const { id } = await fleet.enqueue.enqueue(leadScoring, payload());
  await until(() => fleet.logLines.some((line) => line.includes('No version of the model')));
  expect(await fleet.ledger.read(id)).toMatchObject({ state: 'accepted', attempts: 0 });

  await models.promote('1.0.0');
  await announce();
  await until(async () => (await fleet.ledger.read(id))?.state === 'completed');
  expect(await fleet.ledger.read(id)).toMatchObject({ attempts: 1 });
  expect(await check()).toEqual({ model: 'ok' });
  const champion = await models.stores.registry.find(leadModelId, 'champion');
  await until(async () => (await reports()).some(({ status }) => status === 'ready'));
  expect(await reports()).toEqual([
    {
      status: 'ready',
      model_id: leadModelId,
      version: '1.0.0',
      sha256: champion?.manifestSha256,
      n_features: 19,
      loaded_at: expect.any(String),
      at: expect.any(String),
    },
  ]);
  await resources.disposeAsync();
  expect(await reports()).toEqual([]);
});

test('a version that is broken is refused: the one before goes on answering, and that is told', async () => {
  await models.promote('1.0.0');
  await using resources = new AsyncDisposableStack();
  const check = await openWorker(resources);
  expect((await scored()).model_version).toBe('1.0.0');

  await models.promote('2.0.0', 1);
  const broken = await models.stores.registry.find(leadModelId, '2.0.0');
  if (!broken) throw new Error('the version was registered a moment ago');
  const folder = fileURLToPath(models.environment['ARTIFACTS_URL'] ?? '');
  await rm(path.join(folder, registeredPrefix(broken), 'model.onnx'));
  await announce();
  await until(async () => (await check())['model'] === 'degraded');
  expect((await scored()).model_version).toBe('1.0.0');
  await until(async () => (await reports()).some(({ status }) => status === 'degraded'));

  await models.promote('3.0.0', 2);
  await announce();
  await until(async () => (await check())['model'] === 'ok');
  const { model_version, predictions } = await scored();
  expect(model_version).toBe('3.0.0');
  expect(predictions.map(({ lead_id }) => lead_id)).toEqual(payload().lead_ids);
});

test('a challenger is taken up, refused, promoted and dropped; the answers and the readiness stay as they are', async () => {
  await models.promote('1.0.0');
  await models.challenge('2.0.0', 1);
  await using resources = new AsyncDisposableStack();
  const check = await openWorker(resources);
  const versions = async () => {
    const rows = await fleet.database.db
      .selectFrom('lead_shadow_scores')
      .select(['champion_version', 'challenger_version'])
      .distinct()
      .execute();
    return rows.map((row) => `${row.champion_version} ${row.challenger_version}`).sort();
  };
  const loads = async (outcome: string) => {
    const { values } = await fleet.metrics.challengerLoads.get();
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  };
  await until(async () => (await loads('loaded')) === 1);
  const { predictions } = await scored();
  await until(async () => (await versions()).join() === '1.0.0 2.0.0');

  await models.challenge('3.0.0', 2);
  const broken = await models.stores.registry.find(leadModelId, '3.0.0');
  if (!broken) throw new Error('the version was registered a moment ago');
  const folder = fileURLToPath(models.environment['ARTIFACTS_URL'] ?? '');
  await rm(path.join(folder, registeredPrefix(broken), 'model.onnx'));
  await announce();
  await until(async () => (await loads('refused')) > 0);
  expect(await check()).toEqual({ model: 'ok' });
  expect((await reports()).map(({ status }) => status)).toEqual(['ready']);
  expect(await scored()).toMatchObject({ model_version: '1.0.0', predictions });

  await models.challenge('4.0.0', 3);
  await announce();
  await until(async () => (await loads('loaded')) === 2);
  await fleet.redis.client.del(leads.map(({ leadId }) => leadScoreCacheKey(leadId)));
  await scored();
  await until(async () => (await versions()).join() === '1.0.0 2.0.0,1.0.0 4.0.0');

  // Promoted, it is the challenger no more.
  await models.promote('4.0.0', 3);
  await announce();
  await until(async () => (await reports()).some((told) => 'version' in told && told.version === '4.0.0'));
  expect((await scored()).model_version).toBe('4.0.0');
  expect(await check()).toEqual({ model: 'ok' });
  await resources.disposeAsync();
  expect(await versions()).toEqual(['1.0.0 2.0.0', '1.0.0 4.0.0']);
});

test('telemetry is written unless it is switched off', async () => {
  await models.promote('1.0.0');
  const events = () =>
    fleet.database.db.selectFrom('ai_events').select(['request_id', 'error_code']).execute();
  {
    await using resources = new AsyncDisposableStack();
    await openWorker(resources, { AI_TELEMETRY_ENABLED: 'false' });
    await scored();
  }
  expect(await events()).toEqual([]);
  {
    await using resources = new AsyncDisposableStack();
    await openWorker(resources);
    await scored({ requestId: 'request-1' });
  }
  // Closing the worker waits for what it had to tell.
  expect(await events()).toEqual([{ request_id: 'request-1', error_code: null }]);
});

test('says what of its environment is missing or wrong', () => {
  const problemsOf = (environment: Environment) => {
    try {
      prepareWorker(environment);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.problems.map(({ variable }) => variable);
    }
  };
  expect(problemsOf({})).toEqual(['ARTIFACTS_URL']);
  expect(
    problemsOf({ ...models.environment, ML_MIN_FEATURE_COVERAGE: '1.5', AI_TELEMETRY_ENABLED: 'perhaps' }),
  ).toEqual(['ML_MIN_FEATURE_COVERAGE', 'AI_TELEMETRY_ENABLED']);
  expect(problemsOf(models.environment)).toEqual([]);
});
