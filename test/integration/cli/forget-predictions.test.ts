import type { Insertable } from 'kysely';
import { nothingForgotten } from '../../../producers/cli/forget/nothing-forgotten.ts';
import { personWithUserId } from '../../../producers/cli/forget/person-with-user-id.ts';
import type { Person } from '../../../producers/cli/forget/person.ts';
import { contentGeneration, type GeneratedPage } from '../../../shared/contracts/content-generation.ts';
import { patternDetection } from '../../../shared/contracts/pattern-detection.ts';
import type { GenerationQueueTable } from '../../../shared/database/generation-queue-table.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { pageCopyKey } from '../../../shared/pages/page-copies.ts';
import type { JobContext } from '../../../shared/queue/job-context.ts';
import { acceptLooks } from '../../../workers/pattern-detection/activity-looks.ts';
import { insertLlmCalls } from '../../support/insert-llm-calls.ts';
import { insertPredictions } from '../../support/insert-predictions.ts';
import { useForgetRoom } from '../../support/use-forget-room.ts';

const userId = 'stu_4532';
/** Another one, whose id holds the person's. */
const otherId = 'stu_4532_b';

const room = useForgetRoom([patternDetection, contentGeneration]);

const person = personWithUserId(userId);
const forget = (waitMs = 0, who: Person = person) => room.fleet.forget(who, waitMs);

let day = 0;
/** A prediction of a day of its own; answers the id of its row. */
async function predict(row: Partial<Insertable<GenerationQueueTable>> = {}): Promise<number> {
  day += 1;
  const window_start = new Date(Date.UTC(2026, 2, day));
  const prediction = { user_id: userId, page_key: 'letters from Zelda', window_start, ...row };
  const [id = 0] = await insertPredictions(room.fleet.database.db, [prediction]);
  return id;
}

/** The job that makes the page of a prediction, as whoever queues one accepts it. */
async function acceptPage(generationId: number, { known = true, delayMs = 0 } = {}): Promise<string> {
  const payload = { generation_id: generationId };
  const { id } = await room.fleet.enqueue.enqueue(contentGeneration, payload, { delayMs });
  if (known) {
    await room.fleet.database.db
      .updateTable('generation_queue')
      .set({ job_id: id })
      .where('id', '=', generationId)
      .execute();
  }
  return id;
}

async function storePage(user_id: string, generationId: number): Promise<void> {
  const content = JSON.stringify({ title: `Of ${user_id}`, blocks: [{ kind: 'paragraph', text: 'Zelda' }] });
  await room.fleet.database.db
    .insertInto('page_cache')
    .values({
      user_id,
      page_key: 'letters from Zelda',
      content,
      expires_at: new Date(Date.now() + 3_600_000),
      generation_id: generationId,
    })
    .execute();
  await room.fleet.redis.client.set(pageCopyKey(user_id, 'letters from Zelda'), content);
}

/** A worker that leaves behind what the real one does, under control of the test. */
function makePages(work: (context: JobContext) => Promise<void> = () => Promise.resolve()) {
  room.fleet.consume(contentGeneration, {
    async start({ generation_id: id }, context): Promise<GeneratedPage> {
      await work(context);
      const { user_id, page_key } = await room.fleet.database.db
        .selectFrom('generation_queue')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      await insertLlmCalls(room.fleet.database.db, [
        { job_id: context.jobId, step: 'page', answer: 'Dear Zelda' },
      ]);
      await storePage(user_id, id);
      return {
        generation_id: id,
        page_key,
        status: 'completed',
        model_used: 'bedrock-claude',
        degraded: false,
        expires_at: null,
      };
    },
  });
}

async function act(user_id: string, count: number): Promise<void> {
  const activity = { user_id, activity_type: 'letters from Zelda', occurred_at: new Date() };
  await room.fleet.database.db
    .insertInto('activity_log')
    .values(Array.from({ length: count }, () => activity))
    .execute();
}

async function lookAt(user_id: string, jobId: string): Promise<void> {
  await room.fleet.database.db
    .insertInto('activity_looks')
    .values({ user_id, looked_to_id: 1, job_id: jobId, looked_at: new Date() })
    .execute();
}

/** What is left of the person in MySQL and Redis: nothing is what there should be. */
async function traces(): Promise<string[]> {
  const held = (await room.fleet.everything()).replaceAll(otherId, '');
  return [userId, 'Zelda'].filter((text) => held.includes(text));
}

test('what they did, that they were looked at, what was predicted of it, and the pages', async () => {
  room.fleet.consume(patternDetection, {
    async start(_payload, { jobId }) {
      await insertLlmCalls(room.fleet.database.db, [
        { job_id: jobId, step: 'propose', answer: 'Zelda writes' },
      ]);
      return { patterns_detected: 3, predictions_queued: 2, model_used: 'together-llama', degraded: false };
    },
  });
  const look = await room.fleet.enqueue.enqueue(patternDetection, { user_id: userId });
  expect(await room.fleet.settled(look.id)).toMatchObject({ state: 'completed' });
  await lookAt(userId, look.id);
  await act(userId, 600);

  let fails = false;
  makePages(() =>
    fails ? Promise.reject(new JobError('permanent', 'no', { code: 'NO' })) : Promise.resolve(),
  );
  const made = await acceptPage(await predict({ reason: 'Zelda writes' }));
  expect(await room.fleet.settled(made)).toMatchObject({ state: 'completed' });
  fails = true;
  const failed = await acceptPage(await predict());
  expect(await room.fleet.settled(failed)).toMatchObject({ state: 'failed' });
  const waiting = await acceptPage(await predict(), { delayMs: 60_000 });
  // Rows that other systems wrote: the job is not in the row, or there is none.
  const unnamed = await acceptPage(await predict(), { known: false, delayMs: 60_000 });
  await predict({ status: 'expired' });
  await room.fleet.nobodyIsAtWork();
  expect(await traces()).toHaveLength(2);

  expect(await forget()).toEqual({
    ...nothingForgotten(),
    events_deleted: 600,
    looks_deleted: 1,
    predictions_deleted: 5,
    pages_deleted: 1,
    answers_deleted: 2,
    jobs_rewritten: 5,
    redis_jobs_removed: 5,
  });
  expect(await traces()).toEqual([]);
  for (const id of [failed, waiting, unnamed]) {
    expect(await room.fleet.ledger.read(id)).toMatchObject({ state: 'cancelled' });
  }
  expect(await room.fleet.ledger.read(made)).toMatchObject({
    state: 'completed',
    result: { page_key: '[forgotten]', status: 'completed' },
  });
  expect(await room.fleet.ledger.read(look.id)).toMatchObject({
    payload: { user_id: '[forgotten]' },
    result: { patterns_detected: 3 },
  });
  const spend = await room.fleet.database.db.selectFrom('llm_calls').select(['cost_usd', 'state']).execute();
  expect(spend).toEqual([1, 2].map(() => ({ cost_usd: '0.000150000', state: 'answered' })));
  expect(await forget()).toEqual(nothingForgotten());
});

test('somebody else stays as they are', async () => {
  makePages();
  const id = await acceptPage(await predict({ user_id: otherId }));
  expect(await room.fleet.settled(id)).toMatchObject({ state: 'completed' });
  await room.fleet.nobodyIsAtWork();
  await act(otherId, 1);
  await lookAt(otherId, id);
  const before: unknown = JSON.parse(await room.fleet.everything());
  expect(await forget()).toEqual(nothingForgotten());
  expect(JSON.parse(await room.fleet.everything())).toEqual(before);
});

test('a look that is still to be taken is not taken', async () => {
  const { id } = await room.fleet.enqueue.enqueue(patternDetection, { user_id: userId }, { delayMs: 60_000 });
  const tick = await room.fleet.enqueue.enqueue(patternDetection, {}, { delayMs: 60_000 });
  await lookAt(userId, id);
  expect(await forget()).toEqual({
    ...nothingForgotten(),
    looks_deleted: 1,
    jobs_rewritten: 1,
    redis_jobs_removed: 1,
  });
  expect(await room.fleet.ledger.read(id)).toMatchObject({
    state: 'cancelled',
    payload: { user_id: '[forgotten]' },
  });
  expect(await room.fleet.ledger.read(tick.id)).toMatchObject({ state: 'accepted' });
});

test('a page in the hands of a worker: its prediction stays until it is done, and goes with the page', async () => {
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  makePages(({ signal }) => {
    signal.addEventListener('abort', () => stopped.resolve());
    started.resolve();
    return release.promise;
  });
  const id = await acceptPage(await predict());
  await predict();
  await started.promise;
  expect(await forget(0)).toEqual({ ...nothingForgotten(), predictions_deleted: 1, running: [id] });
  await stopped.promise;
  // Whoever runs it again finds the job again, and waits for it. It does not heed its signal, and stores what it has.
  const waiting: Person = {
    ...person,
    async forgetBesideJobs(clients, done) {
      await person.forgetBesideJobs(clients, done);
      release.resolve();
    },
  };
  expect(await forget(20_000, waiting)).toEqual({
    ...nothingForgotten(),
    jobs_rewritten: 1,
    answers_deleted: 1,
    redis_jobs_removed: 1,
    predictions_deleted: 1,
    pages_deleted: 1,
  });
  expect(await traces()).toEqual([]);
  expect(await forget()).toEqual(nothingForgotten());
});

test('a tick that knew them from before accepts no look at who is forgotten, and leaves no trace', async () => {
  await act(userId, 1);
  const { id: newestId } = await room.fleet.database.db
    .selectFrom('activity_log')
    .select('id')
    .executeTakeFirstOrThrow();
  const tick = await room.fleet.enqueue.enqueue(patternDetection, {}, { delayMs: 60_000 });
  const clients = { db: room.fleet.database.db, enqueue: room.fleet.enqueue };
  const acceptedWhile: number[] = [];
  const meanwhile: Person = {
    ...person,
    async forgetSources(forgetClients, done) {
      const jobIds = await person.forgetSources(forgetClients, done);
      const looks = await acceptLooks(clients, [{ userId, newestId }], { tickId: tick.id, now: new Date() });
      acceptedWhile.push(looks.length);
      return jobIds;
    },
  };
  expect(await forget(0, meanwhile)).toMatchObject({ events_deleted: 1, looks_deleted: 0, running: [] });
  expect(acceptedWhile.length).toBeGreaterThan(0);
  expect(new Set(acceptedWhile)).toEqual(new Set([0]));
  expect(await traces()).toEqual([]);
});
