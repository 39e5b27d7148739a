import { v7 as uuid } from 'uuid';
import { MustWaitError } from '../../../shared/errors/job-error.ts';
import type { LlmFault } from '../../../shared/emulators/llm-server.ts';
import { openInsightStores, type InsightStores } from '../../support/open-insight-stores.ts';
import {
  bedrockModel,
  openaiModel,
  openInsightWorker,
  type InsightWorker,
} from '../../support/open-insight-worker.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';

const alert = sampleAlerts.calls;
const deny = { policy: { patienceMs: 60_000, degradedAnswers: 'deny' } } as const;

let stores: InsightStores;
beforeAll(async () => {
  stores = await openInsightStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
afterEach(() => stores.llm.recover());

/** How many calls of each kind are made meanwhile. */
async function callsDuring(work: () => Promise<unknown>): Promise<{ converse: number; chat: number }> {
  const before = stores.llm.requests.length;
  await work();
  const made = stores.llm.requests.slice(before);
  const of = (dialect: string) => made.filter((request) => request.dialect === dialect).length;
  return { converse: of('converse'), chat: of('chat') };
}

async function degradedCount({ metrics }: InsightWorker): Promise<number> {
  return (await metrics.degradedAnswers.get()).values.reduce((sum, { value }) => sum + value, 0);
}

test('Bedrock, when it answers', async () => {
  await using worker = await openInsightWorker(stores);
  const calls = await callsDuring(async () => {
    expect(await worker.run(alert)).toMatchObject({ model_used: `bedrock-${bedrockModel}`, degraded: false });
  });
  expect(calls).toEqual({ converse: 1, chat: 0 });
});

test.each<[string, LlmFault, number]>([
  ['is broken', { kind: 'status', status: 500 }, 1],
  ['asks for fewer calls', { kind: 'status', status: 429, retryAfterSeconds: 30 }, 1],
  ['does not answer', { kind: 'hang' }, 1],
  ['resets the connection', { kind: 'reset' }, 1],
  ['does not let us in', { kind: 'status', status: 403, errorType: 'AccessDeniedException' }, 1],
  ['does not know the model', { kind: 'status', status: 404, errorType: 'ResourceNotFoundException' }, 1],
  ['cuts its answer off, twice', { kind: 'truncated' }, 2],
  ['answers another question, twice', { kind: 'wrong-shape' }, 2],
  ['answers in prose, twice', { kind: 'no-json' }, 2],
])('OpenAI, when Bedrock %s', async (_, fault, converse) => {
  // Time enough for OpenAI on a busy machine, where Bedrock does not answer.
  const limits = fault.kind === 'hang' ? { callTimeoutMs: 5_000 } : {};
  await using worker = await openInsightWorker(stores, limits);
  stores.llm.failAlways('converse', fault);
  const calls = await callsDuring(async () => {
    expect(await worker.run(alert)).toMatchObject({
      model_used: `openai-${openaiModel}-fallback`,
      risk_score: 70,
      degraded: false,
    });
  });
  expect(calls).toEqual({ converse, chat: 1 });
});

test('Bedrock again, when its first answer could not be used', async () => {
  await using worker = await openInsightWorker(stores);
  stores.llm.failNext('converse', { kind: 'wrong-shape' });
  const calls = await callsDuring(async () => {
    expect(await worker.run(alert)).toMatchObject({ model_used: `bedrock-${bedrockModel}`, risk_score: 70 });
  });
  expect(calls).toEqual({ converse: 2, chat: 0 });
});

test('Bedrock, when its answer is wrapped in a code fence and prose', async () => {
  await using worker = await openInsightWorker(stores);
  stores.llm.failNext('converse', { kind: 'fenced' });
  const calls = await callsDuring(async () => {
    expect(await worker.run(alert)).toMatchObject({ risk_score: 70 });
  });
  expect(calls).toEqual({ converse: 1, chat: 0 });
});

test('nobody else, when Bedrock calls the request malformed: that is our fault, and final', async () => {
  await using worker = await openInsightWorker(stores);
  stores.llm.failAlways('converse', { kind: 'quoting' });
  const calls = await callsDuring(async () => {
    await expect(worker.run(alert, { isLastAttempt: true })).rejects.toMatchObject({
      kind: 'permanent',
      code: 'LLM_REQUEST_REFUSED',
    });
  });
  expect(calls).toEqual({ converse: 1, chat: 0 });
});

test('OpenAI alone, without Bedrock: and it is no fallback then', async () => {
  await using worker = await openInsightWorker(stores, { withBedrock: false });
  const calls = await callsDuring(async () => {
    expect(await worker.run(alert)).toMatchObject({ model_used: `openai-${openaiModel}` });
  });
  expect(calls).toEqual({ converse: 0, chat: 1 });
});

describe('when every model fails', () => {
  beforeEach(() => {
    stores.llm.failAlways('converse', { kind: 'status', status: 500 });
    stores.llm.failAlways('chat', { kind: 'status', status: 503 });
  });

  test('the attempt fails', async () => {
    await using worker = await openInsightWorker(stores);
    const calls = await callsDuring(async () => {
      await expect(worker.run(alert)).rejects.toMatchObject({ kind: 'transient', code: 'LLM_FAILED' });
    });
    expect(calls).toEqual({ converse: 1, chat: 1 });
    expect(await degradedCount(worker)).toBe(0);
  });

  test('the last attempt ends with the baseline, marked', async () => {
    await using worker = await openInsightWorker(stores);
    const jobId = uuid();
    const insight = await worker.run(alert, { jobId, isLastAttempt: true });
    expect(insight).toMatchObject({ model_used: 'baseline-1', degraded: true, risk_score: 57.5 });
    expect(await degradedCount(worker)).toBe(1);
    const item = (await stores.items()).find(({ job_id }) => job_id?.S === jobId);
    expect(item).toMatchObject({ degraded: { BOOL: true }, model_used: { S: 'baseline-1' } });
    // Found stored by a later run, it stays what it is.
    stores.llm.recover();
    expect(await worker.run(alert, { jobId, mayHaveRunBefore: true })).toEqual(insight);
    expect(await degradedCount(worker)).toBe(1);
  });

  test('the last attempt fails where degraded answers are denied', async () => {
    await using worker = await openInsightWorker(stores, deny);
    const jobId = uuid();
    await expect(worker.run(alert, { jobId, isLastAttempt: true })).rejects.toMatchObject({
      code: 'LLM_FAILED',
    });
    expect((await stores.items()).filter(({ job_id }) => job_id?.S === jobId)).toEqual([]);
  });
});

describe('when no model lets us in', () => {
  beforeEach(() => {
    stores.llm.failAlways('converse', { kind: 'status', status: 403, errorType: 'AccessDeniedException' });
    stores.llm.failAlways('chat', { kind: 'status', status: 401 });
  });

  test('the job waits within its patience, without spending an attempt', async () => {
    await using worker = await openInsightWorker(stores);
    for (const waitedMs of [0, 59_000]) {
      const failed: unknown = await worker
        .run(alert, { waitedMs, isLastAttempt: true })
        .catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(MustWaitError);
      expect(failed).toMatchObject({ code: 'NO_VENDOR_NOW', waitMs: expect.any(Number) });
      expect((failed as MustWaitError).waitMs).toBeLessThanOrEqual(60_000 - waitedMs);
    }
  });

  test('then the baseline answers', async () => {
    await using worker = await openInsightWorker(stores);
    expect(await worker.run(alert, { waitedMs: 60_000 })).toMatchObject({
      model_used: 'baseline-1',
      degraded: true,
    });
  });

  test('then the attempt fails, where degraded answers are denied', async () => {
    await using worker = await openInsightWorker(stores, deny);
    const running = worker.run(alert, { waitedMs: 60_000 });
    await expect(running).rejects.not.toBeInstanceOf(MustWaitError);
    await expect(running).rejects.toMatchObject({ kind: 'unavailable', code: 'NO_VENDOR_NOW' });
  });
});

describe('when no model is configured', () => {
  const none = { withBedrock: false, withOpenai: false };

  test('the baseline answers at once', async () => {
    await using worker = await openInsightWorker(stores, none);
    expect(await worker.run(alert)).toMatchObject({ model_used: 'baseline-1', degraded: true });
    expect(await degradedCount(worker)).toBe(1);
  });

  test('the job fails for good, where degraded answers are denied', async () => {
    await using worker = await openInsightWorker(stores, { ...none, ...deny });
    await expect(worker.run(alert)).rejects.toMatchObject({ kind: 'permanent', code: 'LLM_NOT_CONFIGURED' });
  });
});
