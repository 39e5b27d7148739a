import { randomUUID } from 'node:crypto';
import { contentGeneration, generatedPageSchema } from '../../shared/contracts/content-generation.ts';
import { inventAnswer } from '../../shared/emulators/invent-answer.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import { killWorkerWhile } from '../support/kill-worker-while.ts';
import { openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { readLogLines } from '../support/read-log-lines.ts';
import { runPresage } from '../support/run-presage.ts';
import { busyMachineMs, until } from '../support/until.ts';

const queue = contentGeneration.name;
const hourMs = 3_600_000;

let resources: AsyncDisposableStack;
let llm: LlmServer;
let running: RunningFleet;
beforeAll(async () => {
  resources = new AsyncDisposableStack();
  llm = resources.use(await openLlmServer({ answer: inventAnswer }));
  running = resources.use(
    await openRunningFleet({
      environment: {
        LOG_LEVEL: 'trace',
        USE_BEDROCK: 'true',
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: llm.url,
      },
    }),
  );
});
afterAll(() => resources.disposeAsync());
/** Lets models answer. */
let answer = () => {};
afterEach(() => answer());

const database = () => running.clients.database.db;

/** Writes a prediction, as another system may, of a user who has done something. */
async function predict(pageKey = 'page-quokka'): Promise<{ id: number; userId: string }> {
  const userId = `user-zebra-${randomUUID()}`;
  await database()
    .insertInto('activity_log')
    .values(
      ['page-quokka', 'page-wombat'].map((activity) => ({
        event_id: randomUUID(),
        user_id: userId,
        activity_type: activity,
        occurred_at: new Date(Date.now() - hourMs),
        timezone: 'Europe/Berlin',
        metadata: null,
      })),
    )
    .execute();
  const { insertId } = await database()
    .insertInto('generation_queue')
    .values({
      user_id: userId,
      page_key: pageKey,
      pattern: JSON.stringify({
        kind: 'time',
        activity: pageKey,
        weekdays: [1],
        hour_start: 9,
        hour_end: 10,
      }),
      confidence: 0.8,
      window_start: new Date(Date.now() + hourMs),
      window_end: new Date(Date.now() + 2 * hourMs),
    })
    .executeTakeFirstOrThrow();
  return { id: Number(insertId), userId };
}

const statusOf = async (id: number) =>
  (
    await database()
      .selectFrom('generation_queue')
      .select('status')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
  ).status;

const callsOf = (jobId: string) =>
  database().selectFrom('llm_calls').select(['ask', 'state']).where('job_id', '=', jobId).execute();

const pagesOf = (userId: string) =>
  database()
    .selectFrom('page_cache')
    .select(['page_key', 'generation_id', 'degraded'])
    .where('user_id', '=', userId)
    .execute();

const getPage = (userId: string, pageKey = 'page-quokka') =>
  fetch(`${running.fleet.describe().api}/v1/pages/${userId}/${pageKey}`);

async function expectOnePage(jobId: string, { id, userId }: { id: number; userId: string }): Promise<void> {
  expect(await running.settled([jobId])).toEqual(['completed']);
  expect(await statusOf(id)).toBe('completed');
  expect(await pagesOf(userId)).toEqual([{ page_key: 'page-quokka', generation_id: id, degraded: 0 }]);
  expect(await callsOf(jobId)).toEqual([{ ask: 1, state: 'answered' }]);
}

test('a prediction becomes a page, which the API has; asked for again it is the same one', async () => {
  const { id, userId } = await predict();
  const enqueue = () =>
    runPresage(
      ['enqueue', queue, '--json', JSON.stringify({ generation_id: id }), '--wait', String(busyMachineMs)],
      running.fleet.environment,
    );
  const first = await enqueue();
  expect(first).toMatchObject({ exitCode: 0, messages: '' });
  const printed = generatedPageSchema.parse(JSON.parse(first.output));
  expect(printed).toMatchObject({ generation_id: id, status: 'completed', degraded: false });

  const response = await getPage(userId);
  expect(response.status).toBe(200);
  const tag = response.headers.get('etag') ?? '';
  expect(await response.json()).toMatchObject({ user_id: userId, model_used: printed.model_used });
  const again = await fetch(response.url, { headers: { 'if-none-match': tag } });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe('');

  expect(await enqueue()).toEqual(first);
  expect(llm.requests).toHaveLength(1);
});

test('kill -9 after the model answered and before the page is stored: one page, one paid call', async () => {
  const prediction = await predict();
  const before = llm.requests.length;
  answer = llm.hold();
  const { id: jobId } = await running.clients.enqueue.enqueue(contentGeneration, {
    generation_id: prediction.id,
  });
  await until(async () => (await statusOf(prediction.id)) === 'processing');
  await killWorkerWhile(running, queue, {
    async hold(transaction) {
      await transaction
        .selectFrom('generation_queue')
        .select('id')
        .where('id', '=', prediction.id)
        .forUpdate()
        .execute();
      answer();
    },
    isThere: async () => (await callsOf(jobId))[0]?.state === 'answered',
  });
  await expectOnePage(jobId, prediction);
  expect(llm.requests).toHaveLength(before + 1);
});

test('kill -9 after the page was stored and before its job is settled: the same page, one paid call', async () => {
  const prediction = await predict();
  const before = llm.requests.length;
  answer = llm.hold();
  const { id: jobId } = await running.clients.enqueue.enqueue(contentGeneration, {
    generation_id: prediction.id,
  });
  await until(async () => (await statusOf(prediction.id)) === 'processing');
  await killWorkerWhile(running, queue, {
    async hold(transaction) {
      await transaction.selectFrom('jobs').select('id').where('id', '=', jobId).forUpdate().execute();
      answer();
    },
    isThere: async () => (await statusOf(prediction.id)) === 'completed',
  });
  await expectOnePage(jobId, prediction);
  expect(llm.requests).toHaveLength(before + 1);
});

test('no log line of any process holds a user, what they did, a prompt or a page', () => {
  const lines = readLogLines(running.logDirectory);
  expect(lines.filter((line) => line.startsWith(`${queue}-1.log`)).length).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes('"level":"debug"')).length).toBeGreaterThan(0);
  expect(lines.filter((line) => /zebra|quokka|wombat|<facts>|Ready for you|Invented/.test(line))).toEqual([]);
});
