import { JobError, MustWaitError } from '../../../shared/errors/job-error.ts';
import { Released } from '../../../shared/queue/run-job.ts';
import {
  contentModel,
  openaiModel,
  openContentRoom,
  type ContentRoom,
  type ContentWorker,
} from '../../support/open-content-room.ts';

const deny = { policy: { patienceMs: 600_000, degradedAnswers: 'deny' } } as const;
/** As the queue counts them. */
const lastAttempt = { attempt: 5, isLastAttempt: true };

let room: ContentRoom;
beforeAll(async () => {
  room = await openContentRoom();
});
afterAll(() => room[Symbol.asyncDispose]());
afterEach(() => room.llm.recover());

async function degradedCount({ metrics }: ContentWorker): Promise<number> {
  return (await metrics.degradedAnswers.get()).values.reduce((sum, { value }) => sum + value, 0);
}

const statusOf = async (id: number) => (await room.row(id)).status;

test('OpenAI, when Claude fails', async () => {
  room.llm.failAlways('converse', { kind: 'status', status: 500 });
  const row = await room.predict();
  expect(await room.openWorker().run(row.id)).toMatchObject({
    model_used: `openai-${openaiModel}-fallback`,
    degraded: false,
  });
});

test('OpenAI alone, without Bedrock: and it is no fallback then', async () => {
  const row = await room.predict();
  expect(await room.openWorker({ withBedrock: false }).run(row.id)).toMatchObject({
    model_used: `openai-${openaiModel}`,
  });
});

describe('when every model fails', () => {
  beforeEach(() => {
    room.llm.failAlways('converse', { kind: 'status', status: 500 });
    room.llm.failAlways('chat', { kind: 'status', status: 503 });
  });

  test('the attempt fails, and its row waits for the next one', async () => {
    const row = await room.predict();
    const worker = room.openWorker();
    await expect(worker.run(row.id)).rejects.toMatchObject({ kind: 'transient', code: 'LLM_FAILED' });
    expect(await statusOf(row.id)).toBe('processing');
    expect(await degradedCount(worker)).toBe(0);
  });

  test('the last attempt ends with a page of the user’s own recent activity, marked', async () => {
    const row = await room.predict();
    await room.act(row.user_id, [
      ['dashboard', 60],
      ['report', 50],
      ['dashboard', 1_500],
    ]);
    const worker = room.openWorker();
    expect(await worker.run(row.id, lastAttempt)).toMatchObject({
      status: 'completed',
      model_used: 'baseline-1',
      degraded: true,
    });
    expect(await degradedCount(worker)).toBe(1);
    const [page] = await room.pages(row.user_id);
    expect(page).toMatchObject({ model_used: 'baseline-1', degraded: 1 });
    expect(page?.content).toContain('No model wrote this page');
    expect(page?.content).toMatch(/\d\d:\d\d: dashboard/);
    expect(page?.content).toContain('"page_key":"report"');
    // Found stored by a later run, it stays what it is.
    room.llm.recover();
    expect(await worker.run(row.id, { mayHaveRunBefore: true })).toMatchObject({ model_used: 'baseline-1' });
    expect(await degradedCount(worker)).toBe(1);
  });

  test('the last attempt fails where degraded answers are denied, and its row with it', async () => {
    const row = await room.predict();
    const worker = room.openWorker(deny);
    await expect(worker.run(row.id, lastAttempt)).rejects.toMatchObject({ code: 'LLM_FAILED' });
    expect(await statusOf(row.id)).toBe('failed');
    expect(await room.pages(row.user_id)).toEqual([]);
  });
});

describe('when no model lets us in', () => {
  beforeEach(() => {
    room.llm.failAlways('converse', { kind: 'status', status: 403, errorType: 'AccessDeniedException' });
    room.llm.failAlways('chat', { kind: 'status', status: 401 });
  });

  test('the job waits within its patience, without spending an attempt or its row', async () => {
    const row = await room.predict();
    for (const waitedMs of [0, 599_000]) {
      const failed: unknown = await room
        .openWorker()
        .run(row.id, { waitedMs, ...lastAttempt })
        .catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(MustWaitError);
      expect((failed as MustWaitError).waitMs).toBeLessThanOrEqual(600_000 - waitedMs);
      expect(await statusOf(row.id)).toBe('processing');
    }
  });

  test('then the baseline answers', async () => {
    const row = await room.predict();
    expect(await room.openWorker().run(row.id, { waitedMs: 600_000 })).toMatchObject({ degraded: true });
  });

  test('then the job fails at once, where degraded answers are denied', async () => {
    const row = await room.predict();
    const running = room.openWorker(deny).run(row.id, { waitedMs: 600_000 });
    await expect(running).rejects.toMatchObject({ code: 'NO_VENDOR_NOW', isFinal: true });
    expect(await statusOf(row.id)).toBe('failed');
  });
});

test('a refused request is our fault: it fails for good, asks nobody else, and hides behind no baseline', async () => {
  room.llm.failAlways('converse', { kind: 'quoting' });
  const before = room.llm.requests.length;
  const row = await room.predict();
  await expect(room.openWorker().run(row.id, lastAttempt)).rejects.toMatchObject({
    kind: 'permanent',
    code: 'LLM_REQUEST_REFUSED',
  });
  expect(room.llm.requests).toHaveLength(before + 1);
  expect(await statusOf(row.id)).toBe('failed');
  // What it was refused for is mended: an operator's retry makes the page.
  room.llm.recover();
  expect(await room.openWorker().run(row.id, { mayHaveRunBefore: true })).toMatchObject({
    status: 'completed',
    model_used: `bedrock-${contentModel}`,
  });
});

test('no model configured: the baseline at once, or a failure where that is denied', async () => {
  const none = { withBedrock: false, withOpenai: false };
  const row = await room.predict();
  expect(await room.openWorker(none).run(row.id)).toMatchObject({ model_used: 'baseline-1' });
  const denied = await room.predict();
  await expect(room.openWorker({ ...none, ...deny }).run(denied.id)).rejects.toMatchObject({
    code: 'LLM_NOT_CONFIGURED',
  });
  expect(await statusOf(denied.id)).toBe('failed');
});

describe('a run that is aborted while a model is asked', () => {
  async function abortedWith(reason: unknown) {
    const row = await room.predict();
    const control = new AbortController();
    room.llm.failNext('converse', { kind: 'hang' });
    const arrived = room.llm.arrived(room.llm.requests.length + 1);
    const running = room.openWorker().run(row.id, { signal: control.signal, ...lastAttempt });
    await arrived;
    control.abort(reason);
    await expect(running).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await room.pages(row.user_id)).toEqual([]);
    return statusOf(row.id);
  }

  test('cancelled: its row fails, so that it keeps no other prediction away', async () => {
    const reason = new JobError('cancelled', 'The job was cancelled', { code: 'CANCELLED' });
    expect(await abortedWith(reason)).toBe('failed');
  });

  test('out of time, in its last attempt: its row fails', async () => {
    const reason = new JobError('transient', 'The job took longer', { code: 'DEADLINE_EXCEEDED' });
    expect(await abortedWith(reason)).toBe('failed');
  });

  test('given to another worker: its row stays', async () => {
    expect(await abortedWith(new Released('this process is stopping'))).toBe('processing');
  });
});

test('a page is stored although its copy in the cache cannot be dropped', async () => {
  const row = await room.predict();
  const worker = room.openWorker({ dropCopy: () => Promise.reject(new Error('Redis is away')) });
  expect(await worker.run(row.id)).toMatchObject({ status: 'completed' });
  expect(await statusOf(row.id)).toBe('completed');
});

test('logs hold neither user nor prompt nor answer', async () => {
  const worker = room.openWorker();
  const row = await room.predict({ user_id: 'user-zebra-4711', page_key: 'page-quokka' });
  await room.act(row.user_id, [['activity-wombat', 5]]);
  for (const fault of ['wrong-shape', 'no-json', 'quoting'] as const) {
    room.llm.failNext('converse', { kind: fault }, 2);
    await worker.run(row.id).catch(() => undefined);
    room.llm.recover();
  }
  room.llm.failAlways('converse', { kind: 'status', status: 500 });
  room.llm.failAlways('chat', { kind: 'status', status: 500 });
  const other = await room.predict({ user_id: 'user-zebra-4712', page_key: 'page-quokka' });
  expect(await worker.run(other.id, lastAttempt)).toMatchObject({ degraded: true });
  const logged = worker.logLines.join('\n');
  expect(logged).toContain('no model answered: the baseline makes the page');
  for (const words of ['zebra', 'quokka', 'wombat', '<facts>', 'morning dashboard', 'rather talk']) {
    expect(logged).not.toContain(words);
  }
});
