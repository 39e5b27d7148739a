import { v7 as uuid } from 'uuid';
import { contentGeneration } from '../../../shared/contracts/content-generation.ts';
import {
  contentModel,
  hourMs,
  openContentRoom,
  pageTtlSeconds,
  samplePage,
  type ContentRoom,
  type ContentWorker,
} from '../../support/open-content-room.ts';

let room: ContentRoom;
let worker: ContentWorker;
beforeAll(async () => {
  room = await openContentRoom();
  worker = room.openWorker();
});
afterAll(() => room[Symbol.asyncDispose]());
afterEach(() => {
  room.answer(undefined);
  room.llm.recover();
  room.llm.setLatency(0);
});

/** How many calls of models are made meanwhile. */
async function callsDuring(work: () => Promise<unknown>): Promise<number> {
  const before = room.llm.requests.length;
  await work();
  return room.llm.requests.length - before;
}

test('a prediction becomes one page of known blocks, and its row is completed', async () => {
  const row = await room.predictReader();
  const startedAt = Date.now();
  const result = await worker.run(row.id);
  expect(contentGeneration.result.parse(result)).toEqual(result);
  expect(result).toMatchObject({
    generation_id: row.id,
    page_key: 'dashboard',
    status: 'completed',
    model_used: `bedrock-${contentModel}`,
    degraded: false,
  });
  const [page, ...more] = await room.pages(row.user_id);
  expect(more).toEqual([]);
  expect(page).toMatchObject({
    page_key: 'dashboard',
    window_start: row.window_start,
    generation_id: row.id,
    model_used: `bedrock-${contentModel}`,
    degraded: 0,
  });
  expect(JSON.parse(page?.content ?? '')).toEqual(samplePage);
  expect(page?.expires_at.toISOString()).toBe(result.expires_at);
  expect(page?.created_at.getTime()).toBeGreaterThanOrEqual(startedAt);
  expect(page?.expires_at.getTime()).toBe((page?.created_at.getTime() ?? 0) + pageTtlSeconds * 1_000);
  expect((await room.row(row.id)).status).toBe('completed');
});

test('a page is kept until its window has ended, where that is later', async () => {
  const windowEnd = new Date(Date.now() + 3 * pageTtlSeconds * 1_000);
  const row = await room.predict({ window_end: windowEnd });
  expect(await worker.run(row.id)).toMatchObject({ expires_at: windowEnd.toISOString() });
});

test('what is asked: the facts of the user in a fence, with the limits of a page', async () => {
  const row = await room.predictReader({ reason: 'every working day', timezone: 'Asia/Kathmandu' });
  const before = room.llm.requests.length;
  await worker.run(row.id);
  const [request, ...more] = room.llm.requests.slice(before);
  expect(more).toEqual([]);
  const user = request?.messages[0]?.text ?? '';
  const facts: unknown = JSON.parse(/<facts>\n([^\n]*)\n<\/facts>/.exec(user)?.[1] ?? '');
  expect(facts).toMatchObject({
    page_key: 'dashboard',
    pattern: JSON.parse(row.pattern),
    reason: 'every working day',
    window: { timezone: 'Asia/Kathmandu' },
    recent: [
      ['dashboard', expect.stringMatching(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{4}-\d\d-\d\d \d\d:\d\d$/)],
    ],
    pages: ['report'],
  });
  expect(user + (request?.system ?? '')).not.toContain(row.user_id);
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    inferenceConfig: { maxTokens: 1_500, temperature: 0.5 },
  });
});

test('links lead only to what the user knows; the rest of the page stays', async () => {
  const row = await room.predictReader();
  room.answer({
    title: 'Links',
    blocks: [
      { kind: 'paragraph', text: 'Two places.' },
      {
        kind: 'links',
        items: [
          { label: 'Known', page_key: 'report' },
          { label: 'Itself', page_key: 'dashboard' },
          { label: 'Invented', page_key: 'admin/settings' },
        ],
      },
      { kind: 'links', items: [{ label: 'Invented', page_key: 'nowhere' }] },
    ],
  });
  await worker.run(row.id);
  expect(JSON.parse((await room.pages(row.user_id))[0]?.content ?? '')).toEqual({
    title: 'Links',
    blocks: [
      { kind: 'paragraph', text: 'Two places.' },
      { kind: 'links', items: [{ label: 'Known', page_key: 'report' }] },
    ],
  });
});

test('a row without a pattern of ours, as another system may write it, gets its page', async () => {
  for (const pattern of ['no JSON', '{"kind":"moon phase"}', 'null']) {
    const row = await room.predict({ pattern });
    expect(await worker.run(row.id)).toMatchObject({ status: 'completed' });
  }
});

describe('nothing is made twice', () => {
  test('a run after the first one asks nobody and changes nothing', async () => {
    const row = await room.predictReader();
    const jobId = uuid();
    const first = await worker.run(row.id, { jobId });
    const page = await room.pages(row.user_id);
    const calls = await callsDuring(async () => {
      expect(await worker.run(row.id, { jobId, mayHaveRunBefore: true })).toEqual(first);
      // Not even in a job of its own.
      expect(await worker.run(row.id)).toEqual(first);
    });
    expect(calls).toBe(0);
    expect(await room.pages(row.user_id)).toEqual(page);
  });

  test('a run that was cut off after the answer asks nobody again', async () => {
    const row = await room.predictReader();
    const jobId = uuid();
    const cutOff = room.openWorker({ cannotStore: true });
    await expect(cutOff.run(row.id, { jobId })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await room.row(row.id)).status).toBe('processing');
    const calls = await callsDuring(async () => {
      const result = await worker.run(row.id, { jobId, mayHaveRunBefore: true });
      expect(result).toMatchObject({ status: 'completed', model_used: `bedrock-${contentModel}` });
    });
    expect(calls).toBe(0);
    expect(await room.calls(jobId)).toMatchObject([{ ask: 1, step: 'page', state: 'answered' }]);
    expect(await room.pages(row.user_id)).toHaveLength(1);
  });

  test('two runs of a job at once pay one call and store one page', async () => {
    const row = await room.predictReader();
    const jobId = uuid();
    room.llm.setLatency(100);
    const calls = await callsDuring(async () => {
      const [one, other] = await Promise.all([
        worker.run(row.id, { jobId }),
        room.openWorker().run(row.id, { jobId, mayHaveRunBefore: true }),
      ]);
      expect(one).toEqual(other);
    });
    expect(calls).toBe(1);
    expect(await room.pages(row.user_id)).toHaveLength(1);
  });

  test('a run that comes late answers what the first one stored', async () => {
    const row = await room.predictReader();
    const first = await worker.run(row.id);
    await room.database.db
      .updateTable('generation_queue')
      .set({ status: 'pending' })
      .where('id', '=', row.id)
      .execute();
    room.answer({ ...samplePage, title: 'Too late' });
    const late = room.openWorker({
      meanwhile: () =>
        room.database.db
          .updateTable('generation_queue')
          .set({ status: 'completed' })
          .where('id', '=', row.id)
          .execute(),
    });
    expect(await late.run(row.id)).toEqual(first);
    expect(JSON.parse((await room.pages(row.user_id))[0]?.content ?? '')).toEqual(samplePage);
  });

  test('the page of a later prediction stays, and an earlier one makes way', async () => {
    const earlier = await room.predictReader();
    const { user_id: userId } = earlier;
    const later = await room.predict({
      user_id: userId,
      window_start: new Date(Date.now() + 5 * hourMs),
      window_end: new Date(Date.now() + 6 * hourMs),
    });
    const overtaken = room.openWorker({ meanwhile: () => worker.run(later.id) });
    expect(await overtaken.run(earlier.id)).toEqual({
      generation_id: earlier.id,
      page_key: 'dashboard',
      status: 'completed',
      model_used: null,
      degraded: false,
      expires_at: null,
    });
    expect(await room.pages(userId)).toMatchObject([
      { generation_id: later.id, window_start: later.window_start },
    ]);

    const latest = await room.predict({
      user_id: userId,
      window_start: new Date(Date.now() + 8 * hourMs),
      window_end: new Date(Date.now() + 9 * hourMs),
    });
    room.answer({ ...samplePage, title: 'Later' });
    await worker.run(latest.id);
    const pages = await room.pages(userId);
    expect(pages).toMatchObject([{ generation_id: latest.id }]);
    expect(JSON.parse(pages[0]?.content ?? '')).toMatchObject({ title: 'Later' });
  });

  test('a page that another system wrote makes way', async () => {
    const row = await room.predict();
    await room.database.db
      .insertInto('page_cache')
      .values({
        user_id: row.user_id,
        page_key: 'dashboard',
        content: 'a page of another kind',
        expires_at: new Date(),
      })
      .execute();
    await worker.run(row.id);
    expect(await room.pages(row.user_id)).toMatchObject([{ generation_id: row.id }]);
  });
});

describe('when there is nothing to be made', () => {
  test('a prediction that does not exist fails for good', async () => {
    const calls = await callsDuring(async () => {
      await expect(worker.run(987_654_321)).rejects.toMatchObject({
        kind: 'permanent',
        code: 'PREDICTION_NOT_FOUND',
      });
    });
    expect(calls).toBe(0);
  });

  test('a window that has passed: expired, without a call', async () => {
    const row = await room.predict({
      window_start: new Date(Date.now() - 2 * hourMs),
      window_end: new Date(Date.now() - 1),
    });
    const expired = {
      generation_id: row.id,
      page_key: 'dashboard',
      status: 'expired',
      model_used: null,
      degraded: false,
      expires_at: null,
    };
    const calls = await callsDuring(async () => {
      expect(await worker.run(row.id)).toEqual(expired);
      expect(await worker.run(row.id)).toEqual(expired);
    });
    expect(calls).toBe(0);
    expect((await room.row(row.id)).status).toBe('expired');
    expect(await room.pages(row.user_id)).toEqual([]);
  });

  test('a window that is open still gets its page', async () => {
    const row = await room.predict({ window_start: new Date(Date.now() - hourMs) });
    expect(await worker.run(row.id)).toMatchObject({ status: 'completed' });
  });

  test('a window that passes while the page is being made: expired, and no page', async () => {
    const row = await room.predict();
    let nowMs = Date.now();
    const slow = room.openWorker({
      now: () => nowMs,
      async meanwhile() {
        nowMs = row.window_end.getTime();
      },
    });
    expect(await slow.run(row.id)).toMatchObject({ status: 'expired', expires_at: null });
    expect((await room.row(row.id)).status).toBe('expired');
    expect(await room.pages(row.user_id)).toEqual([]);
  });

  test('a user who is forgotten while the page is being made has none afterwards', async () => {
    const row = await room.predict();
    const forgetful = room.openWorker({
      meanwhile: () => room.database.db.deleteFrom('generation_queue').where('id', '=', row.id).execute(),
    });
    await expect(forgetful.run(row.id)).rejects.toMatchObject({ code: 'PREDICTION_NOT_FOUND' });
    expect(await room.pages(row.user_id)).toEqual([]);
  });
});
