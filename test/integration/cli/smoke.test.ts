import { createHash } from 'node:crypto';
import { forgotten } from '../../../producers/cli/forget/mention.ts';
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
import type { ServedModelReport } from '../../../shared/models/served-model-report.ts';
import { emptyScores } from '../../support/open-lead-api.ts';
import { openRunningFleet } from '../../support/open-running-fleet.ts';
import type { TestFleet } from '../../support/open-test-fleet.ts';
import { runPresage } from '../../support/run-presage.ts';
import { openSmokeApi, runSmoke, smokeKey } from '../../support/run-smoke.ts';
import { sampleLeads } from '../../support/sample-leads.ts';

const key = smokeKey;
const sha256 = createHash('sha256').update(key).digest('hex');

/** Tells, as a worker does, that it has a model. */
async function tellLoaded({ redis, keys }: TestFleet, status: ServedModelReport['status']): Promise<void> {
  // At a time to come, so that it is heard however long the test takes.
  const at = new Date(Date.now() + 3_600_000).toISOString();
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

  const first = await runSmoke(`${url}/`, ['--models-url', modelsUrl], { PRESAGE_API_KEY: key });
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

  const second = await runSmoke(url, ['--key', key, '--models-url', modelsUrl]);
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
});

test('without workers, what they should have done fails and names them; the rest is right', async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = await openSmokeApi(resources);
  const { exitCode, lines, messages } = await runSmoke(url, ['--timeout', '300']);
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

test('answers of another form, and leads and contacts that do not come back, fail', async () => {
  await using resources = new AsyncDisposableStack();
  const { url, fleet } = await openSmokeApi(resources);
  await tellLoaded(fleet, 'ready');
  fleet.consume(callTimePrediction, { start: () => Promise.resolve({ predictions: [], errors: [] }) });
  fleet.consume(leadScoring, { start: () => Promise.resolve(emptyScores) });
  // Explained just now, and yet not in the table that the API reads.
  fleet.consume(churnInsight, {
    start: (payload, { jobId }) =>
      Promise.resolve(insightOf(alertSchema.parse(alertOf(payload)), jobId, new Date(Date.now() + 60_000))),
  });
  const { lines } = await runSmoke(url, ['--timeout', '30000']);
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
  const { url, fleet } = await openSmokeApi(resources);
  await tellLoaded(fleet, 'degraded');
  const errors = exampleLeadIds.map((lead_id) => ({
    lead_id,
    code: 'LEAD_NOT_FOUND' as const,
    message: 'There is no lead with this id',
  }));
  fleet.consume(callTimePrediction, { start: () => Promise.resolve({ predictions: [], errors: [] }) });
  fleet.consume(leadScoring, { start: () => Promise.resolve({ ...emptyScores, errors }) });
  fleet.consume(churnInsight, {
    start: (payload, { jobId }) =>
      Promise.resolve({
        ...insightOf(alertSchema.parse(alertOf(payload)), jobId, new Date(0)),
        entity_id: forgotten,
      }),
  });
  const { lines } = await runSmoke(url, ['--timeout', '30000']);
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
