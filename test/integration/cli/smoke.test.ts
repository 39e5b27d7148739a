import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { buildServer } from '../../../producers/api/build-server.ts';
import { forgotten } from '../../../producers/cli/forget/mention.ts';
import { runFilePath, writeRunFile } from '../../../shared/config/run-file.ts';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { allQueues } from '../../../shared/contracts/all-queues.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import {
  alertOf,
  alertSchema,
  churnInsight,
  type Alert,
  type Insight,
} from '../../../shared/contracts/churn-insight.ts';
import { exampleLeadIds, leadModelId, leadScoring } from '../../../shared/contracts/lead-scoring.ts';
import { findFreePort } from '../../../shared/embedded/find-free-port.ts';
import { inventAnswer } from '../../../shared/emulators/invent-answer.ts';
import { openLlmServer } from '../../../shared/emulators/llm-server.ts';
import { openLocalServer } from '../../../shared/emulators/open-local-server.ts';
import { writeLeads } from '../../../shared/leads/write-leads.ts';
import { sha256Of } from '../../../shared/models/file-problem.ts';
import { parseManifest } from '../../../shared/models/parse-manifest.ts';
import type { ServedModelReport } from '../../../shared/models/served-model-report.ts';
import { processIdentity } from '../../../shared/process/process-identity.ts';
import { apiOptions } from '../../support/api-options.ts';
import { emptyScores } from '../../support/open-lead-api.ts';
import type { ModelRoom } from '../../support/open-model-room.ts';
import { openRunningFleet } from '../../support/open-running-fleet.ts';
import { openServing } from '../../support/open-serving.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { runPresage } from '../../support/run-presage.ts';
import { sampleLeads } from '../../support/sample-leads.ts';
import { readSmallCausalBundle } from '../../support/small-causal.ts';

const smallCausalRow = { rate: 2.5, spread: 1.25, sector: 'other' };

const key = 'the-key-of-this-test';
const sha256 = createHash('sha256').update(key).digest('hex');

const reportSchema = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.object({
      subject: z.string(),
      check: z.string(),
      state: z.string(),
      finding: z.string(),
      mend: z.string().nullable(),
    }),
  ),
});

/** Each finding as `state subject check: finding. mend`. */
async function smoke(url: string, flags: readonly string[] = [], environment: Environment = {}) {
  const run = await runPresage(['smoke', '--url', url, '--json', ...flags], environment);
  expect(run.output + run.messages).not.toContain(key);
  const { ok, findings } = reportSchema.parse(JSON.parse(run.output));
  const lines = findings.map(
    ({ state, subject, check, finding, mend }) =>
      `${state} ${subject} ${check}: ${finding}${mend === null ? '' : `. ${mend}`}`,
  );
  expect(ok).toBe(run.exitCode === 0);
  return { exitCode: run.exitCode, messages: run.messages, lines };
}

/** The API in this process, with workers that a test plays itself, or none. */
async function openApi(resources: AsyncDisposableStack): Promise<{ url: string; fleet: TestFleet }> {
  const fleet = resources.use(await openTestFleet(allQueues));
  const insightTable = { list: () => Promise.resolve({ insights: [], nextCursor: null }) };
  const server = resources.adopt(await buildServer(apiOptions(fleet, { insightTable })), (opened) =>
    opened.close(),
  );
  return { url: await server.listen({ host: '127.0.0.1', port: 0 }), fleet };
}

/** Tells, as a worker does, that it has a model. */
async function tellLoaded({ redis, keys }: TestFleet, status: ServedModelReport['status']): Promise<void> {
  const at = new Date().toISOString();
  const report = { model_id: leadModelId, version: '1.0.0', sha256: 'f'.repeat(64), n_features: 19 };
  const told = JSON.stringify({ status, ...report, loaded_at: at, at });
  await redis.client.hset(keys.servedModels(leadScoring.name), 'worker', told);
}

function insightOf(alert: Alert, jobId: string, at: Date): Insight {
  return {
    alert_id: `${alert.alert_type}_${alert.entity_id}_${at.getTime()}`,
    entity_id: alert.entity_id,
    prediction_type: alert.alert_type,
    risk_score: 50,
    explanation: 'because',
    recommendations: ['one', 'two'],
    timestamp: at.toISOString().replace('Z', '000Z'),
    model_used: 'rule-1',
    job_id: jobId,
    prompt_version: 'p1',
    degraded: false,
  };
}

test('a fleet that works: every answer is right, and a second run writes no event and no insight again', async () => {
  await using models = await openLlmServer({ answer: inventAnswer });
  await using running = await openRunningFleet({
    environment: {
      PRESAGE_API_KEYS: `smoke:produce+read:${sha256}`,
      OPENAI_API_KEY: 'sk-none',
      OPENAI_BASE_URL: models.chatUrl,
    },
  });
  const { db } = running.clients.database;
  const [sample] = await sampleLeads();
  const features = JSON.stringify(sample?.features);
  await writeLeads(
    db,
    exampleLeadIds.map((lead_id) => ({ lead_id, features, updated_at: new Date() })),
  );
  const { api: url, model_serving: modelsUrl } = running.fleet.describe();

  const first = await smoke(`${url}/`, ['--models-url', modelsUrl], { PRESAGE_API_KEY: key });
  expect(first.lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
  expect(first.lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^ok 000 call-times: contact_123 predicted, confidence 0\.\d+, by sagemaker$/),
      'ok 001 activity: 2 events of presage-smoke are new, 0 were known',
      expect.stringMatching(/^ok 002 low_health_score: stu_2087 risk \d+ by openai-/),
      'ok 003 health: lead-conversion 1.0.0 ready, macro-effects 1.0.0 ready',
      'ok 003 models: lead-conversion 1.0.0, macro-effects 1.0.0',
      'ok 003 info: macro-effects 1.0.0: 20 features, 3 treatments, 3 regimes',
      expect.stringMatching(/^ok 003 predict: n_samples 1, n_features 20, \w+$/),
      expect.stringMatching(/^ok 003 several rows: n_samples 2, n_features 20, (\w+) and \1$/),
      'ok 003 not valid: a row without features is refused with 422',
      'ok 003 unknown model: a model that is not registered is 404',
      expect.stringMatching(
        /^ok 004 predict-batch: lead_1 0\.\d{3}, lead_2 0\.\d{3}, by lead-conversion 1\.0\.0$/,
      ),
      'ok 004 too many: 2001 leads are refused with 413',
    ]),
  );

  const second = await smoke(url, ['--key', key, '--models-url', modelsUrl]);
  expect(second.exitCode).toBe(0);
  const known = second.lines.filter((line) => line.includes('no worker was asked now'));
  expect(known.map((line) => line.split(':')[0])).toEqual([
    'ok 002 high_ib_call_frequency',
    'ok 002 low_health_score',
    'ok 002 supply_demand_imbalance',
  ]);
  expect(second.lines).toContain('ok 001 activity: 0 events of presage-smoke are new, 2 were known');
  expect(await db.selectFrom('activity_log').selectAll().execute()).toHaveLength(2);
  expect(models.answered().chat.calls).toBe(3);

  const people = await runPresage(['smoke', '--url', url, '--key', key], {});
  expect(people.output.split('\n')).toContain(
    'ok    004 too many                 2001 leads are refused with 413',
  );
  const without = await runPresage(['smoke', '--url', url], {});
  expect(without).toMatchObject({ exitCode: 1, output: '' });
  expect(without.messages).toMatch(/^This route needs an API key\. Give one with --key or PRESAGE_API_KEY/);
}, 60_000);

test('without workers, what they should have done fails and names them; the rest is right', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openApi(resources);
  const { exitCode, lines, messages } = await smoke(url, ['--timeout', '300']);
  expect([exitCode, messages]).toEqual([1, '9 of 17 checks failed.\n']);
  const failed = lines.filter((line) => line.startsWith('fail '));
  const notDone = (check: string, worker: string) =>
    expect.stringMatching(
      new RegExp(
        `^fail ${check}: not done within 300 ms; the job [0-9a-f-]{36} goes on\\. Does a worker ${worker} run`,
      ),
    );
  const notReady = (check: string) =>
    expect.stringMatching(new RegExp(`^fail 004 ${check}: 503 MODEL_NOT_READY: .*presage models promote`));
  expect(failed).toEqual([
    notDone('000 call-times', 'call-time-prediction'),
    expect.stringMatching(/^fail 000 read back: 404 NOT_FOUND: Nothing has been predicted/),
    notDone('002 high_ib_call_frequency', 'churn-insight'),
    notDone('002 low_health_score', 'churn-insight'),
    notDone('002 supply_demand_imbalance', 'churn-insight'),
    notReady('health'),
    notReady('models'),
    notReady('predict-batch'),
    notReady('legacy route'),
  ]);
  expect(lines.filter((line) => line.includes(' 003 '))).toEqual([
    'warn 003 models: skipped: nobody said where they answer. Give --models-url.',
  ]);
});

/** The findings about the models, of which an API without workers says nothing. */
async function smokeModels(url: string, modelsUrl: string): Promise<string[]> {
  const { lines } = await smoke(url, ['--timeout', '1', '--models-url', modelsUrl]);
  return lines.filter((line) => line.includes(' 003 '));
}

/** A model with columns for which no strategy fills anything in. */
async function promoteDemanding(room: ModelRoom): Promise<void> {
  const bundle = await readSmallCausalBundle();
  const columns = bundle.manifest.feature_columns.map((column) => ({
    ...column,
    missing: { strategy: 'reject' as const },
  }));
  const manifestBytes = Buffer.from(JSON.stringify({ ...bundle.manifest, feature_columns: columns }));
  const manifest = parseManifest(manifestBytes);
  await room.promoteBundle({ ...bundle, manifest, manifestBytes, manifestSha256: sha256Of(manifestBytes) });
}

test('the fleet of the folder is asked for its models too, whichever they are', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openApi(resources);
  const serving = resources.use(await openServing({ prepare: promoteDemanding }));
  const folder = await mkdtemp(join(tmpdir(), 'presage-smoke-'));
  resources.defer(() => rm(folder, { recursive: true }));
  writeRunFile(runFilePath(folder), {
    api: url,
    model_serving: serving.url,
    dashboard: '',
    redis: '',
    mysql: '',
    dynamodb: '',
    artifacts: '',
    health: {},
    pids: {},
    up: { pid: process.pid, identity: processIdentity(process.pid) ?? '' },
  });
  const run = await runPresage(['smoke', '--timeout', '1'], {}, { workingDirectory: folder });
  expect(run.output).toContain('small-causal 1.0.0: 3 features, 2 treatments, 3 regimes');
  expect(run.output).toMatch(/ok +003 several rows +n_samples 2, n_features 3/);
  // Of another fleet than the one that is named.
  const named = await runPresage(['smoke', '--timeout', '1', '--url', url], {}, { workingDirectory: folder });
  expect(named.output).toMatch(/warn +003 models +skipped/);
});

test('without a causal model the example is asked of none; without a model process nothing is', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openApi(resources);
  const serving = resources.use(await openServing());
  expect(await smokeModels(url, serving.url)).toEqual([
    expect.stringMatching(/^warn 003 health: no model is registered/),
    expect.stringMatching(/^warn 003 models: none: no hybrid_causal_model answers.*presage models promote/),
    'ok 003 unknown model: a model that is not registered is 404',
  ]);
  const nobody = `http://127.0.0.1:${await findFreePort()}`;
  expect(await smokeModels(url, nobody)).toEqual([
    expect.stringMatching(
      /^fail 003 health: nothing listens at .*\. Start the process model-serving there, or correct --models-url\.$/,
    ),
  ]);
});

test('answers of models that are not the documented ones fail', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openApi(resources);
  const serving = resources.use(
    await openServing({ prepare: async (room) => room.promoteBundle(await readSmallCausalBundle()) }),
  );
  const described = new Map<string, string>();
  for (const path of ['/health', '/models', '/models/small-causal/info']) {
    described.set(path, await (await fetch(`${serving.url}${path}`)).text());
  }
  // What every row and every model is answered with: one row's answer, and a field that is not documented.
  let prediction = await (await serving.post('/predict/small-causal', smallCausalRow)).text();
  const spoilt = resources.use(
    await openLocalServer({
      handle: ({ url: path = '' }, _body, response) =>
        response.setHeader('content-type', 'application/json').end(described.get(path) ?? prediction),
    }),
  );
  expect((await smokeModels(url, spoilt.url)).filter((line) => !line.startsWith('ok '))).toEqual([
    expect.stringMatching(/^fail 003 several rows: n_samples: 1 in place of 2/),
    expect.stringMatching(/^fail 003 not valid: it was taken \(200\); it must be refused with 422/),
    expect.stringMatching(/^fail 003 unknown model: it was taken \(200\); it must be refused with 404/),
  ]);
  prediction = prediction.replace('{', '{"confidence":1,');
  expect(await smokeModels(url, spoilt.url)).toContainEqual(
    expect.stringMatching(/^fail 003 predict: the answer has another form: .*"confidence"/),
  );
});

test('answers of another form, and leads and contacts that do not come back, fail', async () => {
  await using resources = new AsyncDisposableStack();
  const { url, fleet } = await openApi(resources);
  await tellLoaded(fleet, 'ready');
  fleet.consume(callTimePrediction, { start: () => Promise.resolve({ predictions: [], errors: [] }) });
  fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  // Explained just now, and yet not in the table that the API reads.
  fleet.consume(churnInsight, {
    start: (payload, { jobId }) =>
      Promise.resolve(insightOf(alertSchema.parse(alertOf(payload)), jobId, new Date(Date.now() + 60_000))),
  });
  const { lines } = await smoke(url, ['--timeout', '2000']);
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^fail 000 call-times: 0 predictions for 1 contacts/),
      expect.stringMatching(
        /^fail 002 high_ib_call_frequency: stu_4532 risk 50 by rule-1, but GET \/v1\/insights\/stu_4532 does not have it/,
      ),
      expect.stringMatching(/^ok 004 health: lead-conversion 1\.0\.0, 1 workers ready/),
      expect.stringMatching(/^fail 004 predict-batch: 0 leads came back for 2/),
      expect.stringMatching(/^fail 004 legacy route: 0 leads came back for 2/),
    ]),
  );
});

test('unknown leads, and entities that were forgotten, are told apart from faults', async () => {
  await using resources = new AsyncDisposableStack();
  const { url, fleet } = await openApi(resources);
  await tellLoaded(fleet, 'degraded');
  const errors = exampleLeadIds.map((lead_id) => ({
    lead_id,
    code: 'LEAD_NOT_FOUND' as const,
    message: 'There is no lead with this id',
  }));
  fleet.consume(leadScoring, { start: () => Promise.resolve({ ...emptyScores, errors }) });
  fleet.consume(churnInsight, {
    start: (payload, { jobId }) =>
      Promise.resolve({
        ...insightOf(alertSchema.parse(alertOf(payload)), jobId, new Date(0)),
        entity_id: forgotten,
      }),
  });
  const { lines } = await smoke(url, ['--timeout', '2000']);
  expect(lines.find((line) => line.includes(' 002 high_ib'))).toMatch(
    /^warn 002 high_ib_call_frequency: stu_4532 was forgotten since it was explained, .* no worker was asked now/,
  );
  expect(lines.filter((line) => line.includes(' 004 ')).slice(0, 4)).toEqual([
    expect.stringMatching(/^warn 004 health: lead-conversion 1\.0\.0, 0 workers ready, 1 degraded/),
    'ok 004 models: lead-conversion 1.0.0',
    expect.stringMatching(
      /^warn 004 predict-batch: lead_1 LEAD_NOT_FOUND, .* had nothing to score\. Import leads/,
    ),
    expect.stringMatching(/^warn 004 legacy route: lead_1 LEAD_NOT_FOUND/),
  ]);
});

test('where there is no fleet, one line says so', async () => {
  const gone = await runPresage(['smoke', '--url', `http://127.0.0.1:${await findFreePort()}`], {});
  expect(gone).toMatchObject({ exitCode: 1, output: '' });
  expect(gone.messages).toMatch(
    /^There is no fleet to be checked: nothing listens at 127\.0\.0\.1:\d+\. Start the API of Presage there, or correct --url\.\n$/,
  );

  await using other = await openLocalServer({
    handle: (_request, _body, response) => response.writeHead(404).end('<html>'),
  });
  const another = await runPresage(['smoke', '--url', other.url], {});
  expect(another.messages).toMatch(
    /^There is no fleet to be checked: what answers there \(404\) is not the API/,
  );

  await using silent = await openLocalServer({ handle: () => undefined });
  const never = await runPresage(['smoke', '--url', silent.url, '--timeout', '1'], {});
  expect(never.messages).toMatch(/no answer from 127\.0\.0\.1:\d+ within \d+ ms/);
});

test('wrong usage is told before anything is sent', async () => {
  for (const url of ['ftp://127.0.0.1', 'http://user:word@127.0.0.1', 'nonsense']) {
    expect(await runPresage(['smoke', '--url', url], {})).toMatchObject({ exitCode: 2, output: '' });
  }
  expect(await runPresage(['smoke'], {})).toMatchObject({
    exitCode: 2,
    messages: 'No fleet runs in this folder: name one with --url.\n',
  });
  const spaced = await runPresage(['smoke', '--url', 'http://127.0.0.1:1', '--key', `${key} x`], {});
  expect(spaced.exitCode).toBe(1);
  expect(spaced.messages).toContain('PRESAGE_API_KEY: must be the key itself');
  expect(spaced.messages).not.toContain(key);
});
