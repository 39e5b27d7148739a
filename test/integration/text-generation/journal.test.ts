import { sql } from 'kysely';
import { z } from 'zod';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { migrateUp } from '../../../shared/database/migrate.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { openOpenai } from '../../../shared/text-generation/openai.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { until } from '../../support/until.ts';
import {
  bedrockModel,
  failureOf,
  openTextRoom,
  runContext,
  verdictRequest,
  type OpenedRoom,
  type TextRoom,
} from '../../support/open-text-room.ts';

let room: TextRoom;
let first: OpenedRoom;
let second: OpenedRoom;
beforeEach(async () => {
  room = await openTextRoom();
  first = room.open();
  second = room.open();
});
afterEach(async () => {
  await room[Symbol.asyncDispose]();
});

/** What a process leaves behind that died during its call. */
async function leaveCall(jobId: string, leaseMs: number): Promise<void> {
  await room.database.db
    .insertInto('llm_calls')
    .values({
      job_id: jobId,
      step: 'verdict',
      ask: 1,
      queue: 'churn-insight',
      provider: 'bedrock',
      model: bedrockModel,
      state: 'calling',
      holder: 'a-process-that-died',
      leased_until: sql<Date>`timestampadd(microsecond, ${leaseMs * 1_000}, utc_timestamp(3))`,
      request_hash: '0'.repeat(64),
      started_at: sql<Date>`utc_timestamp(3)`,
    })
    .execute();
}

test('an answer is journalled with what it cost, and answers the next run of its job without a call', async () => {
  const context = runContext();
  const beganMs = Date.now();
  const generated = await first.generation.generate(verdictRequest(), context);
  const [row] = await room.rows(context.jobId);
  expect(row).toMatchObject({
    step: 'verdict',
    ask: 1,
    queue: 'churn-insight',
    provider: 'bedrock',
    model: bedrockModel,
    state: 'answered',
    holder: first.processId,
    error_code: null,
    input_tokens: generated.usage.inputTokens,
    output_tokens: generated.usage.outputTokens,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    latency_ms: generated.latencyMs,
    request_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(JSON.parse(row?.answer ?? '')).toEqual(generated.answer);
  expect(Number(row?.cost_usd)).toBe(generated.costUsd);
  // By MySQL's clock.
  expect(row?.started_at.getTime()).toBeGreaterThan(beganMs - 10_000);
  expect(row?.started_at.getTime()).toBeLessThan(Date.now() + 10_000);

  const again = await second.generation.generate(verdictRequest(), { ...context, mayHaveRunBefore: true });
  expect(again).toEqual({ ...generated, replayed: true });
  expect(room.server.requests).toHaveLength(1);
  expect(await second.counted('bedrock', 'replayed')).toBe(1);
  expect(await second.counted('bedrock', 'ok')).toBe(0);
  expect((await second.metrics.llmCostUsd.get()).values).toEqual([]);
});

test("a replayed answer of the second vendor keeps the second vendor's rank", async () => {
  room.server.failNext('converse', { kind: 'status', status: 500 });
  const context = runContext({ mayHaveRunBefore: true });
  const generated = await first.generation.generate(verdictRequest(), context);
  expect(await second.generation.generate(verdictRequest(), context)).toEqual({
    ...generated,
    replayed: true,
  });
  expect(generated.rank).toBe(1);
});

test('an answer is replayed although no vendor is configured any more', async () => {
  const context = runContext({ mayHaveRunBefore: true });
  const generated = await first.generation.generate(verdictRequest(), context);
  const { generation } = room.open({ generators: [] });
  expect(await generation.generate(verdictRequest(), context)).toMatchObject({ answer: generated.answer });
});

test('the questions of a job are replayed each by itself', async () => {
  const context = runContext({ mayHaveRunBefore: true });
  const one = await first.generation.generate(verdictRequest({ step: 'one', user: 'Case 1' }), context);
  const two = await first.generation.generate(verdictRequest({ step: 'two', user: 'Case 2' }), context);
  expect(one.answer).not.toEqual(two.answer);
  expect(await second.generation.generate(verdictRequest({ step: 'two' }), context)).toMatchObject({
    answer: two.answer,
  });
  expect(room.server.requests).toHaveLength(2);
});

test('an answer that does not fit the schema of today is asked again with what is wrong', async () => {
  const context = runContext({ mayHaveRunBefore: true });
  await first.generation.generate(verdictRequest(), context);
  const stricter = z.object({ score: z.number(), summary: z.string().min(1) });
  const generated = await second.generation.generate(
    { ...verdictRequest(), answer: { name: 'verdict', schema: stricter } },
    context,
  );
  expect(stricter.parse(generated.answer)).toEqual(generated.answer);
  expect(room.server.requests[1]?.messages).toHaveLength(3);
});

test('a worker that died between an answer that does not fit and asking again: the next one asks again', async () => {
  const control = new AbortController();
  const context = runContext({ mayHaveRunBefore: true, signal: control.signal });
  room.server.failNext('converse', { kind: 'wrong-shape' });
  room.server.failNext('converse', { kind: 'hang' });
  const generating = failureOf(first.generation.generate(verdictRequest(), context));
  await room.server.arrived(2);
  control.abort();
  await generating;
  // As if it had died before the second call.
  await room.database.db.deleteFrom('llm_calls').where('ask', '=', 2).execute();

  const generated = await second.generation.generate(
    verdictRequest(),
    runContext({ jobId: context.jobId, mayHaveRunBefore: true }),
  );
  expect(generated).toMatchObject({ provider: 'bedrock', rank: 0, replayed: false });
  expect(room.server.requests.map(({ messages }) => messages.length)).toEqual([1, 3, 3]);
});

test("another worker's call is waited for, and its answer is used", async () => {
  room.server.setLatency(600);
  const context = runContext();
  const calling = first.generation.generate(verdictRequest(), context);
  await room.server.arrived(1);
  const waiting = second.generation.generate(verdictRequest(), { ...context, mayHaveRunBefore: true });
  expect((await waiting).answer).toEqual((await calling).answer);
  expect((await waiting).replayed).toBe(true);
  expect(room.server.requests).toHaveLength(1);
});

test('who waits for another worker heeds its signal', async () => {
  const context = runContext({ mayHaveRunBefore: true });
  await leaveCall(context.jobId, 60_000);
  const error = await failureOf(
    first.generation.generate(verdictRequest(), { ...context, signal: AbortSignal.timeout(100) }),
  );
  expect(error).toMatchObject({ kind: 'cancelled', code: 'ABORTED' });
  expect(room.server.requests).toHaveLength(0);
});

test('a call whose lease has ended is lost, counted once by two who see it, and asked once more', async () => {
  const context = runContext({ mayHaveRunBefore: true });
  await leaveCall(context.jobId, 400);
  const answers = await Promise.all(
    [first, second].map(({ generation }) => generation.generate(verdictRequest(), context)),
  );
  expect(answers[0]?.answer).toEqual(answers[1]?.answer);
  expect(room.server.requests).toHaveLength(1);
  expect(await room.rows(context.jobId)).toMatchObject([
    { ask: 1, state: 'lost', error_code: 'LEASE_ENDED', cost_usd: null },
    { ask: 2, state: 'answered' },
  ]);
  const lost = await Promise.all([first, second].map((process) => process.counted('bedrock', 'lost')));
  expect(lost.toSorted()).toEqual([0, 1]);
});

test('many workers with the same jobs at once make one call for each', async () => {
  room.server.setLatency(50);
  const contexts = Array.from({ length: 20 }, () => runContext());
  const answers = await Promise.all(
    contexts.map((context) =>
      Promise.all(
        [first, second, second].map(({ generation }) => generation.generate(verdictRequest(), context)),
      ),
    ),
  );
  expect(room.server.requests).toHaveLength(20);
  for (const [one, ...others] of answers) {
    for (const other of others) expect(other.answer).toEqual(one?.answer);
  }
});

test('an answer that comes after its lease was given up is kept: it was paid', async () => {
  const release = room.server.hold();
  const context = runContext();
  const calling = first.generation.generate(verdictRequest(), context);
  await room.server.arrived(1);
  await room.database.db
    .updateTable('llm_calls')
    .set({ leased_until: new Date(0) })
    .execute();
  const other = second.generation.generate(verdictRequest(), { ...context, mayHaveRunBefore: true });
  await room.server.arrived(2);
  release();
  await Promise.all([calling, other]);
  expect(await room.rows(context.jobId)).toMatchObject([{ state: 'answered' }, { state: 'answered' }]);
  expect(await second.counted('bedrock', 'lost')).toBe(1);
});

test('a journal that fails does not hide behind the vendor', async () => {
  await room.database.db.schema.dropTable('llm_calls').execute();
  const failing = first.generation.generate(verdictRequest(), runContext());
  await expect(failing).rejects.toMatchObject({ code: 'ER_NO_SUCH_TABLE' });
  expect(room.server.requests).toHaveLength(0);
});

test('the spend in the journal, in the metrics and at the vendor are the same', async () => {
  const faults = ['wrong-shape', 'truncated', 'no-json'] as const;
  for (const kind of faults) room.server.failNext('converse', { kind });
  room.server.failNext('chat', { kind: 'wrong-shape' });
  await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      first.generation
        .generate(verdictRequest({ user: `Judge case ${index}.` }), runContext())
        .catch((error: unknown) => {
          if (!(error instanceof JobError)) throw error;
        }),
    ),
  );
  room.server.failNext('converse', { kind: 'status', status: 500 }, 3);
  for (let index = 0; index < 4; index += 1) {
    await first.generation.generate(verdictRequest(), runContext());
  }

  const { converse, chat } = room.server.answered();
  const rows = await room.rows();
  const answered = rows.filter(({ state }) => state === 'answered');
  expect(answered).toHaveLength(converse.calls + chat.calls);
  const journalled = answered.reduce((sum, { cost_usd: cost }) => sum + Number(cost), 0);
  const counted = (await first.metrics.llmCostUsd.get()).values.reduce((sum, { value }) => sum + value, 0);
  const billed =
    (converse.usage.inputTokens * 1 +
      converse.usage.outputTokens * 5 +
      chat.usage.inputTokens * 2 +
      chat.usage.outputTokens * 8) /
    1_000_000;
  expect(journalled).toBeCloseTo(billed, 9);
  expect(counted).toBeCloseTo(billed, 9);
  const tokens = (await first.metrics.llmTokens.get()).values;
  expect(
    tokens.filter(({ labels }) => labels.kind === 'input').reduce((sum, { value }) => sum + value, 0),
  ).toBe(converse.usage.inputTokens + chat.usage.inputTokens);
});

test('the logs hold neither question nor answer', async () => {
  room.server.failNext('converse', { kind: 'wrong-shape' });
  const generated = await first.generation.generate(verdictRequest(), runContext());
  room.server.failAlways('converse', { kind: 'status', status: 500 });
  await first.generation.generate(verdictRequest(), runContext());
  const logs = room.logLines.join('');
  expect(logs).not.toContain('case 7');
  for (const reason of generated.answer.reasons) expect(logs).not.toContain(reason);
});

test('an answer outlives an outage of MySQL: it is written down when MySQL is back, and paid once', async () => {
  await using servers = await openPrivateServers();
  const mysql = await servers.startMysql();
  const settings = { ...databaseFromUrl(mysql.url), poolSize: 5, tls: false };
  await using database = openDatabase(settings);
  await migrateUp(database.db);
  const { generation, counted } = room.open({ database });
  const release = room.server.hold();
  const context = runContext();
  const generating = generation.generate(verdictRequest(), context);
  await room.server.arrived(1);
  await mysql.stop();
  release();
  await until(() => room.server.answered().converse.calls === 1);
  await mysql.start();
  const generated = await generating;
  expect(generated).toMatchObject({ provider: 'bedrock', replayed: false });
  expect(await database.db.selectFrom('llm_calls').select('state').execute()).toEqual([
    { state: 'answered' },
  ]);
  expect(await counted('bedrock', 'ok')).toBe(1);
  expect(room.server.requests).toHaveLength(1);
});

test('a model without a price has no cost, and is named once', async () => {
  const model = 'our-own-model';
  using generator = openOpenai({ apiKey: 'test', baseUrl: room.server.chatUrl, model });
  const { generation, metrics } = room.open({ generators: [generator] });
  const context = runContext();
  expect(await generation.generate(verdictRequest(), context)).toMatchObject({ costUsd: null, model });
  await generation.generate(verdictRequest(), runContext());
  const [row] = await room.rows(context.jobId);
  expect(row).toMatchObject({ state: 'answered', cost_usd: null });
  expect(row?.input_tokens).toBeGreaterThan(0);
  expect((await metrics.llmCostUsd.get()).values).toEqual([]);
  expect(room.logLines.filter((line) => line.includes('does not know this model'))).toHaveLength(1);
});
