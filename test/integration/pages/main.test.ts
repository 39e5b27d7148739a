import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { contentGeneration, generatedPageSchema } from '../../../shared/contracts/content-generation.ts';
import type { GenerationStatus } from '../../../shared/database/generation-queue-table.ts';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { inventAnswer } from '../../../shared/emulators/invent-answer.ts';
import { openLlmServer, type LlmServer } from '../../../shared/emulators/llm-server.ts';
import { pageCopyKey } from '../../../shared/pages/page-copies.ts';
import { connectRedis } from '../../../shared/queue/connect-redis.ts';
import { retryJob } from '../../../shared/queue/steer-job.ts';
import { prepareWorker } from '../../../workers/content-generation/main.ts';
import { hourMs } from '../../support/open-content-room.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { busyMachineMs, until } from '../../support/until.ts';

let llm: LlmServer;
beforeAll(async () => {
  llm = await openLlmServer({ answer: inventAnswer });
});
afterAll(() => llm[Symbol.asyncDispose]());
afterEach(() => llm.recover());

/** The worker as a process opens it, given its environment, behind a queue of its own. */
async function openWorker(
  resources: AsyncDisposableStack,
  environment: Environment = {},
): Promise<TestFleet> {
  const fleet = resources.use(await openTestFleet([contentGeneration]));
  await startWorker(fleet, resources, environment);
  return fleet;
}

async function startWorker(
  fleet: TestFleet,
  resources: AsyncDisposableStack,
  environment: Environment,
): Promise<void> {
  const open = prepareWorker({
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: llm.url,
    OPENAI_BASE_URL: llm.chatUrl,
    ...environment,
  });
  const { redisSettings: redis, keys, database, log, metrics, enqueue, consume } = fleet;
  await open(resources, {
    redis,
    keys,
    database,
    log,
    metrics,
    tracing: fleet.tracing,
    enqueue,
    listensAt: () => undefined,
    consume: (contract, handlers) => void consume(contract, handlers),
  });
}

async function predict(
  { database: { db } }: TestFleet,
  window: { endsInMs: number; status?: GenerationStatus } = { endsInMs: 2 * hourMs },
): Promise<number> {
  const { insertId } = await db
    .insertInto('generation_queue')
    .values({
      user_id: `user_${randomUUID()}`,
      page_key: 'dashboard',
      pattern: '{}',
      confidence: 0.8,
      status: window.status ?? 'pending',
      window_start: new Date(Date.now() + window.endsInMs - hourMs),
      window_end: new Date(Date.now() + window.endsInMs),
    })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

async function statusOf({ database: { db } }: TestFleet, id: number): Promise<GenerationStatus> {
  const row = await db
    .selectFrom('generation_queue')
    .select('status')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return row.status;
}

async function settledOf(fleet: TestFleet, generationId: number) {
  const payload = { generation_id: generationId };
  const { id } = await fleet.enqueue.enqueue(contentGeneration, payload, { replyTo: fleet.results.name });
  const settled = await fleet.results.wait(id, busyMachineMs);
  if (!settled) throw new Error('the job is not settled');
  return settled;
}

const madeBy = ({ result }: { result: unknown }) => generatedPageSchema.parse(result).model_used;

test('the model of CONTENT_MODEL_ID first, where there are credentials; then OpenAI', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, {
    CONTENT_MODEL_ID: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
  });
  const model = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
  expect(madeBy(await settledOf(fleet, await predict(fleet)))).toBe(`bedrock-${model}`);
  llm.failAlways('converse', { kind: 'status', status: 500 });
  expect(madeBy(await settledOf(fleet, await predict(fleet)))).toBe('openai-gpt-4.1-fallback');
});

test('with no model at all the baseline makes pages, and the log says why', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, { USE_BEDROCK: 'false', OPENAI_BASE_URL: '' });
  expect(madeBy(await settledOf(fleet, await predict(fleet)))).toBe('baseline-1');
  expect(fleet.logLines.join('')).toContain('neither Bedrock nor OpenAI is configured');
});

test('PAGE_CACHE_TTL_SECONDS says how long a page is kept', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, { PAGE_CACHE_TTL_SECONDS: '36000' });
  const startedAt = Date.now();
  const settled = await settledOf(fleet, await predict(fleet));
  const { expires_at: expiresAt } = generatedPageSchema.parse(settled.result);
  expect(Date.parse(expiresAt ?? '')).toBeGreaterThanOrEqual(startedAt + 36_000_000);
  expect(Date.parse(expiresAt ?? '')).toBeLessThanOrEqual(Date.now() + 36_000_000);
});

test('the copy of the page before is dropped where the caches are', async () => {
  await using resources = new AsyncDisposableStack();
  const cacheUrl = `${z.string().parse(process.env['TEST_REDIS_URL'])}/1`;
  const fleet = await openWorker(resources, { CACHE_REDIS_URL: cacheUrl });
  const cache = resources.use(connectRedis({ kind: 'url', url: cacheUrl }, 'worker', fleet.log));
  const id = await predict(fleet);
  const { user_id: userId } = await fleet.database.db
    .selectFrom('generation_queue')
    .select('user_id')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const key = pageCopyKey(userId, 'dashboard');
  await cache.client.set(key, 'the page before');
  await settledOf(fleet, id);
  expect(await cache.client.get(key)).toBe('');
});

test('a page that failed for good is made once an operator retries its job', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources);
  llm.failAlways('converse', { kind: 'quoting' });
  const id = await predict(fleet);
  const failed = await settledOf(fleet, id);
  expect(failed).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'LLM_REQUEST_REFUSED' } });
  expect(await statusOf(fleet, id)).toBe('failed');
  llm.recover();
  expect(await retryJob(failed.id, fleet)).toBe(true);
  await until(async () => (await fleet.ledger.read(failed.id))?.state === 'completed');
  expect(await statusOf(fleet, id)).toBe('completed');
});

test('one prediction is one job, whoever enqueues it', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources);
  const id = await predict(fleet);
  const before = llm.requests.length;
  const first = await settledOf(fleet, id);
  const second = await settledOf(fleet, id);
  expect(second.id).toBe(first.id);
  expect(llm.requests).toHaveLength(before + 1);
});

test('predictions whose window has passed and that have no job are ended, and no others', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = resources.use(await openTestFleet([contentGeneration]));
  const left = [
    await predict(fleet, { endsInMs: -1 }),
    await predict(fleet, { endsInMs: -1, status: 'processing' }),
  ];
  const others: [number, GenerationStatus][] = [
    [await predict(fleet, { endsInMs: hourMs }), 'pending'],
    [await predict(fleet, { endsInMs: hourMs, status: 'processing' }), 'processing'],
    [await predict(fleet, { endsInMs: -1, status: 'completed' }), 'completed'],
    [await predict(fleet, { endsInMs: -1, status: 'failed' }), 'failed'],
  ];
  await startWorker(fleet, resources, { USE_BEDROCK: 'false' });
  for (const id of left) await until(async () => (await statusOf(fleet, id)) === 'expired');
  for (const [id, status] of others) expect(await statusOf(fleet, id)).toBe(status);
});

test('what is wrong with the settings is told at once and by name', () => {
  const wrong = { PAGE_CACHE_TTL_SECONDS: '0', USE_BEDROCK: 'perhaps', DEGRADED_ANSWERS: 'maybe' };
  for (const variable of Object.keys(wrong))
    expect(() => prepareWorker(wrong)).toThrow(`${variable}: must be`);
});
