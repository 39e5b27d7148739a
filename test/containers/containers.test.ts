import { exampleFeatures } from '../../shared/api-contract/example-features.ts';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { insightSchema } from '../../shared/contracts/churn-insight.ts';
import { leadScoresSchema } from '../../shared/contracts/lead-scoring.ts';
import { bulkPredictionSchema } from '../../shared/contracts/model-serving.ts';
import { sweepResultSchema } from '../../shared/contracts/pattern-detection.ts';
import { until } from '../support/until.ts';
import { openCallTimeLoad, type CallTimeLoad } from './open-call-time-load.ts';
import { openComposeProject, type ComposeProject, type Container } from './open-compose-project.ts';
import { readMetric } from './read-metric.ts';

// The fleet as operators run it: docker-compose.yml, with a real Docker daemon. One project for the whole file, whose
// tests build on each other: first without any key, then with an endpoint for call times, at last stopped and removed.
//
// PRESAGE_BUILD_NETWORK=host builds with the network of the machine, where containers have none of their own.

const queue = callTimePrediction.name;
const samples = 'producers/cli/demo';
const wait = '--wait=600000';
const patience = { withinMs: 900_000, everyMs: 1_000 };

/** What the call-time workers are started with: an endpoint that takes its time, and four calls of it at once. */
const withEndpoint = {
  SAGEMAKER_ENDPOINT_NAME: 'test-endpoint',
  AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: 'http://sagemaker:8080',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  CALL_TIME_PARALLELISM: '4',
};

jest.setTimeout(1_800_000);

let project: ComposeProject;
let load: CallTimeLoad;
beforeAll(async () => {
  project = await openComposeProject();
  load = openCallTimeLoad(project);
}, 1_800_000);
afterAll(() => project[Symbol.asyncDispose]());

const ours = async () => (await project.containers()).filter(({ image }) => image === project.image);

async function enqueue(...args: string[]): Promise<unknown> {
  return JSON.parse(await project.presage('enqueue', ...args, wait));
}

/** Sets how many call-time workers there are, and answers them. */
async function scaleTo(replicas: number): Promise<Container[]> {
  await project.compose(
    [
      'up',
      '--detach',
      '--no-build',
      '--pull',
      'missing',
      '--no-deps',
      '--scale',
      `${queue}=${replicas}`,
      queue,
    ],
    { settings: withEndpoint },
  );
  await project.untilHealthy();
  const workers = await project.containers(queue);
  expect(workers).toHaveLength(replicas);
  return workers;
}

describe('without keys', () => {
  test('every service is healthy, and the jobs before them have ended well', async () => {
    const services = (await project.compose(['config', '--services'])).trim().split('\n').sort();
    const told = (await project.containers()).map(({ service, status, exitCode, health }) => [
      service,
      status === 'exited' ? `exited ${exitCode}` : health,
    ]);
    const oneOff = ['migrate', 'models'];
    const expected = services.map((name) => [name, oneOff.includes(name) ? 'exited 0' : 'healthy']);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
    expect(told).toHaveLength(services.length);
  });

  test('nobody is root, and nobody can write to the image', async () => {
    const running = (await ours()).filter(({ status }) => status === 'running');
    expect(running.length).toBeGreaterThan(9);
    for (const { id } of running) {
      const user = await project.docker('exec', id, 'id', '-u');
      expect(Number(user)).toBeGreaterThan(0);
      // Even root cannot.
      const writing = project.docker('exec', '--user', '0', id, 'touch', '/app/written');
      await expect(writing).rejects.toThrow('Read-only file system');
    }
    expect((await ours()).filter(({ isRootReadOnly }) => !isRootReadOnly)).toEqual([]);
  });

  test('call-time-prediction answers the default pattern, and says so', async () => {
    const answer = await enqueue(queue, '--file', `${samples}/sample-contacts.csv`);
    const { predictions, errors } = callTimePrediction.result.parse(answer);
    expect(predictions).toHaveLength(23);
    expect(new Set(predictions.map(({ source }) => source))).toEqual(new Set(['default']));
    expect(errors).toMatchObject([{ contactId: 'contact_991', code: 'INVALID_PHONE_NUMBER' }]);
    expect(await project.compose(['logs', queue])).toContain('SAGEMAKER_ENDPOINT_NAME is not set');
  });

  test.each(['frequent-calls', 'low-health', 'imbalance'])(
    'churn-insight answers %s by a rule',
    async (alert) => {
      const answer = await enqueue('churn-insight', '--file', `${samples}/sample-alerts/${alert}.json`);
      const { entity_id: entity, ...insight } = insightSchema.parse(answer);
      expect(insight).toMatchObject({ degraded: true, model_used: expect.stringMatching(/^baseline-/) });
      const stored = await fetch(`${project.urls.api}/v1/insights/${entity}`);
      expect(await stored.json()).toMatchObject({ insights: [{ ...insight, entity_id: entity }] });
    },
  );

  test('pattern-detection predicts from statistics, and content-generation makes the pages by a rule', async () => {
    const log = '/tmp/sample-log.csv';
    const filling = `node shared/sample-log/print-sample-log.ts --users 40 > ${log} && presage activity import ${log}`;
    await project.compose(['exec', '-T', 'api', 'sh', '-c', filling]);
    const tick = sweepResultSchema.parse(await enqueue('pattern-detection', '--json', '{}'));
    expect(tick.success).toBe(true);
    expect(tick.active_users).toBeGreaterThan(30);
    expect(tick.predictions_queued).toBeGreaterThan(10);

    const counts = 'select status, count(*) from generation_queue group by status';
    const made = [['completed', String(tick.predictions_queued)]];
    await until(async () => JSON.stringify(await project.query(counts)) === JSON.stringify(made), patience);
    const latest = 'select user_id, page_key from generation_queue order by window_end desc limit 1';
    const [[user = '', page = ''] = []] = await project.query(latest);
    const answer = await fetch(`${project.urls.api}/v1/pages/${user}/${page}`);
    expect(await answer.json()).toMatchObject({
      user_id: user,
      page_key: page,
      degraded: true,
      model_used: expect.stringMatching(/^baseline-/),
    });
  });

  test('lead-scoring scores the sample leads', async () => {
    const file = `${samples}/sample-leads/sample-leads.csv`;
    await project.presage('leads', 'import', file);
    const { predictions, errors } = leadScoresSchema.parse(await enqueue('lead-scoring', '--file', file));
    expect(predictions).toHaveLength(200);
    expect(errors).toEqual([]);
  });

  test('model-serving answers at its published address, and through the queue', async () => {
    const answer = await fetch(`${project.urls.models}/predict/macro-effects?missing=impute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(exampleFeatures),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model_type: 'hybrid_causal_model' });
    const job = { model_id: 'macro-effects', missing: 'impute', rows: [exampleFeatures, exampleFeatures] };
    const bulk = bulkPredictionSchema.parse(await enqueue('model-serving', '--json', JSON.stringify(job)));
    expect(bulk).toMatchObject({ rows: 2, scored: 2, rejected: 0 });
  });

  test('the dashboard is published', async () => {
    const page = await fetch(`${project.urls.dashboard}/queues`);
    expect(page.status).toBe(200);
  });

  test('presage smoke and presage doctor find nothing wrong', async () => {
    const smoke = [
      'smoke',
      '--url',
      'http://api:8080',
      '--models-url',
      'http://model-serving:8080',
      '--json',
    ];
    expect(JSON.parse(await project.presage(...smoke))).toMatchObject({ ok: true });
    expect(JSON.parse(await project.presage('doctor', '--json'))).toMatchObject({ ok: true });
  });
});

describe('with an endpoint', () => {
  let workers: Container[];
  beforeAll(async () => {
    const profile = ['--profile', 'emulators'];
    await project.compose([...profile, 'up', '--detach', '--no-build', '--pull', 'missing', 'sagemaker']);
    workers = await scaleTo(3);
  });

  test('three workers share the load', async () => {
    const completed = `presage_jobs_total{queue="${queue}",outcome="completed"}`;
    await until(async () => {
      const outcome = await load.untilEnded(await load.submit(100, 2));
      expect(outcome).toMatchObject({ states: { completed: 100 }, rows: 200, contacts: 200 });
      const shares = await Promise.all(workers.map(({ id }) => readMetric(project, id, completed)));
      return shares.every((share) => share > 0);
    }, patience);
  });

  /** A job that is being worked on, and the worker that has it in hand. */
  async function startJob(contacts: number): Promise<{ ids: string[]; worker: Container }> {
    const calls = () =>
      Promise.all(
        workers.map(({ id }) => readMetric(project, id, 'presage_endpoint_requests_total{outcome="ok"}')),
      );
    for (;;) {
      const before = await calls();
      const ids = await load.submit(1, contacts);
      let worker: Container | undefined;
      await until(async () => {
        const now = await calls();
        worker = workers.find((_, place) => (now[place] ?? 0) > (before[place] ?? 0));
        return worker !== undefined || (await load.ended(ids)) === 1;
      }, patience);
      // A machine that is too busy has seen it too late: once more.
      if (worker && (await load.ended(ids)) === 0) return { ids, worker };
    }
  }

  test.each([
    ['short', 100],
    ['long', 400],
  ])('docker stop in the midst of a %s job: exit code 0, done once by whomever', async (length, contacts) => {
    const { ids, worker } = await startJob(contacts);
    await project.docker('stop', worker.id);
    const [stopped] = (await project.containers(queue)).filter(({ id }) => id === worker.id);
    expect(stopped).toMatchObject({ status: 'exited', exitCode: 0 });

    const wasDone = (await load.ended(ids)) === 1;
    const outcome = await load.untilEnded(ids);
    expect(outcome).toMatchObject({ states: { completed: 1 }, rows: contacts, contacts });
    // 40 s of calls do not fit into SHUTDOWN_GRACE_MS, unless a busy machine makes the worker give the endpoint up.
    if (length === 'long' && outcome.defaults === 0) expect(wasDone).toBe(false);
    await project.docker('start', worker.id);
    await project.untilHealthy();
  });

  /** Kills the container of a store while jobs are under way, and answers them. */
  async function killInMidLoad(store: 'redis' | 'mysql'): Promise<{ id: string; jobs: string[] }> {
    const [container] = await project.containers(store);
    const jobs = await load.submit(300, 2);
    await until(async () => (await load.ended(jobs)) > 10, patience);
    const id = container?.id ?? '';
    await project.docker('kill', id);
    return { id, jobs };
  }

  test('docker kill of Redis: jobs are accepted meanwhile, and every one ends once', async () => {
    const { id, jobs } = await killInMidLoad('redis');
    const meanwhile = await load.submit(20, 2);
    const ready = await fetch(`${project.urls.api}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'degraded' }]);
    expect(await load.ended(meanwhile)).toBe(0);
    await project.docker('start', id);
    const outcome = await load.untilEnded([...jobs, ...meanwhile]);
    expect(outcome).toMatchObject({ states: { completed: 320 }, rows: 640, contacts: 640 });
    await project.untilHealthy();
  });

  test('docker kill of MySQL: 503 meanwhile, and every job that was accepted ends once', async () => {
    const { id, jobs } = await killInMidLoad('mysql');
    const refused = await load.post(1);
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'STORE_UNAVAILABLE' }]);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    await project.docker('start', id);
    await until(async () => (await fetch(`${project.urls.api}/health/ready`)).status === 200, patience);
    expect(await load.untilEnded([...jobs, ...(await load.submit(5, 2))])).toMatchObject({
      states: { completed: 305 },
      rows: 610,
      contacts: 610,
      // The outage spent none.
      attempts: 1,
    });
    const accepted = `select count(*) from jobs where queue = '${queue}' and state = 'accepted'`;
    expect(await project.query(accepted)).toEqual([['0']]);
    await project.untilHealthy();
  });
});

describe('at the end', () => {
  test('nothing had to be started again', async () => {
    expect((await project.containers()).filter(({ restarts }) => restarts > 0)).toEqual([]);
  });

  test('docker compose stop: every process of the fleet exits with 0', async () => {
    await project.compose(['--profile', '*', 'stop']);
    const ended = (await ours()).map(({ service, status, exitCode }) => ({ service, status, exitCode }));
    expect(ended.filter(({ status, exitCode }) => status !== 'exited' || exitCode !== 0)).toEqual([]);
  });

  test('nothing is left behind', async () => {
    await project.remove();
    expect(await project.leftovers()).toEqual({ containers: '', networks: '', volumes: '' });
  });
});
