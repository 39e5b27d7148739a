import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql, type InsertObject, type Kysely } from 'kysely';
import type { LlmCallsTable } from '../database/llm-calls-table.ts';
import { isOutage } from '../database/open-database.ts';
import type { Tables } from '../database/tables.ts';
import { errorCode } from '../errors/classify.ts';
import { createGroup } from '../group/create-group.ts';
import type { JournalledCall } from './next-step.ts';
import type { GenerationCall, Provider, TokenUsage } from './text-generator.ts';

/** Which call: the key of the journal. */
export interface CallKey {
  jobId: string;
  step: string;
  ask: number;
}

export interface NewCall extends CallKey {
  queue: string;
  provider: Provider;
  model: string;
  /** How long the others wait for its answer, in milliseconds. */
  leaseMs: number;
  requestHash: string;
}

/** How a call ended: with an answer, with the vendor's word that there is none, or nobody knows how. */
export type CallOutcome =
  | {
      state: 'answered';
      answer: string;
      /** Null when the answer fits. */
      errorCode: string | null;
      usage: TokenUsage;
      costUsd: string | null;
      latencyMs: number;
    }
  | { state: 'failed' | 'lost'; errorCode: string };

interface FinishedCall extends CallKey {
  outcome: CallOutcome;
}

export interface CallJournal extends AsyncDisposable {
  /** The calls of a question, oldest first. */
  read(jobId: string, step: string): Promise<JournalledCall[]>;
  /** Writes down that the call is about to be made. False when another worker was faster. */
  begin(call: NewCall): Promise<boolean>;
  /**
   * Writes down how the call ended. While MySQL is away it is tried again, for this many milliseconds and at least
   * once. An answer was paid for: with `Infinity` it is tried until the journal is closed, because nobody else can use
   * the journal meanwhile.
   */
  finish(key: CallKey, outcome: CallOutcome, withinMs: number): Promise<void>;
  /** Gives up a call whose lease has ended. False when another worker did so, or its answer came after all. */
  giveUp(key: CallKey): Promise<boolean>;
}

const maxStatementBytes = 8 * 1024 * 1024;
const tryAgainAfterMs = 200;
/** MySQL's clock, in UTC like every instant in the tables. */
const databaseNow = sql<Date>`utc_timestamp(3)`;

/** SHA-256 over all that the vendor is told: shows whether two calls asked the same. */
export function requestHash(provider: Provider, model: string, call: GenerationCall): string {
  return createHash('sha256')
    .update(JSON.stringify({ provider, model, ...call }))
    .digest('hex');
}

/**
 * The journal of paid calls. A row per job, step and ask is written before the call, with a lease, and completed
 * before its answer has any effect.
 *
 * @param holder names this process; no two share one
 */
export function openCallJournal(db: Kysely<Tables>, holder: string): CallJournal {
  let isClosed = false;
  const begins = createGroup<InsertObject<Tables, 'llm_calls'>, boolean>({
    maxItems: 200,
    parallelFlushes: 2,
    retrySingly: (error) => !isOutage(error),
    async flush(rows) {
      try {
        await db.insertInto('llm_calls').values(rows).execute();
        return rows.map(() => true);
      } catch (error) {
        if (rows.length === 1 && errorCode(error) === 'ER_DUP_ENTRY') return [false];
        throw error;
      }
    },
  });
  const finishes = createGroup<FinishedCall, void>({
    maxItems: 200,
    maxBytes: maxStatementBytes,
    weigh: ({ outcome }) => (outcome.state === 'answered' ? outcome.answer.length : 0),
    parallelFlushes: 2,
    retrySingly: (error) => !isOutage(error),
    async flush(calls) {
      for (const alike of groupAlike(calls)) await finishAlike(db, alike, holder);
      return calls.map(() => undefined);
    },
  });

  return {
    async read(jobId, step) {
      const rows = await db
        .selectFrom('llm_calls')
        .selectAll()
        .select(
          sql<number>`timestampdiff(microsecond, utc_timestamp(3), leased_until)`.as(
            'lease_left_microseconds',
          ),
        )
        .where('job_id', '=', jobId)
        .where('step', '=', step)
        .orderBy('ask')
        .execute();
      return rows.map(toJournalledCall);
    },

    begin: (call) =>
      begins.add({
        job_id: call.jobId,
        step: call.step,
        ask: call.ask,
        queue: call.queue,
        provider: call.provider,
        model: call.model,
        state: 'calling',
        holder,
        leased_until: sql<Date>`timestampadd(microsecond, ${Math.ceil(call.leaseMs) * 1_000}, utc_timestamp(3))`,
        request_hash: call.requestHash,
        started_at: databaseNow,
      }),

    async finish(key, outcome, withinMs) {
      const giveUpAtMs = performance.now() + withinMs;
      for (;;) {
        try {
          await finishes.add({ ...key, outcome });
          return;
        } catch (error) {
          if (!isOutage(error) || isClosed || performance.now() >= giveUpAtMs) throw error;
          await delay(tryAgainAfterMs);
        }
      }
    },

    async giveUp({ jobId, step, ask }) {
      const update = await db
        .updateTable('llm_calls')
        .set({ state: 'lost', error_code: 'LEASE_ENDED', finished_at: databaseNow })
        .where('job_id', '=', jobId)
        .where('step', '=', step)
        .where('ask', '=', ask)
        .where('state', '=', 'calling')
        .where('leased_until', '<=', databaseNow)
        .executeTakeFirstOrThrow();
      return update.numUpdatedRows === 1n;
    },

    async [Symbol.asyncDispose]() {
      isClosed = true;
      await begins[Symbol.asyncDispose]();
      await finishes[Symbol.asyncDispose]();
    },
  };
}

type ReadRow = Pick<
  LlmCallsTable,
  | 'ask'
  | 'provider'
  | 'model'
  | 'state'
  | 'answer'
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'cost_usd'
  | 'latency_ms'
> & { lease_left_microseconds: number };

function toJournalledCall(row: ReadRow): JournalledCall {
  return {
    ask: row.ask,
    provider: row.provider,
    model: row.model,
    state: row.state,
    leaseLeftMs: row.lease_left_microseconds / 1_000,
    answer: row.state === 'answered' ? row.answer : null,
    usage: {
      inputTokens: row.input_tokens ?? 0,
      outputTokens: row.output_tokens ?? 0,
      cacheReadTokens: row.cache_read_tokens ?? 0,
      cacheWriteTokens: row.cache_write_tokens ?? 0,
    },
    costUsd: row.cost_usd === null ? null : Number(row.cost_usd),
    latencyMs: row.latency_ms ?? 0,
  };
}

/** Calls that one statement can complete: they differ in job and answer only. */
interface AlikeCalls {
  step: string;
  ask: number;
  state: CallOutcome['state'];
  errorCode: string | null;
  outcomes: Map<string, CallOutcome>;
}

function groupAlike(calls: readonly FinishedCall[]): Iterable<AlikeCalls> {
  const groups = new Map<string, AlikeCalls>();
  for (const { jobId, step, ask, outcome } of calls) {
    const { state, errorCode: code } = outcome;
    const key = `${step} ${ask} ${state} ${code}`;
    let group = groups.get(key);
    if (!group) {
      group = { step, ask, state, errorCode: code, outcomes: new Map() };
      groups.set(key, group);
    }
    group.outcomes.set(jobId, outcome);
  }
  return groups.values();
}

/**
 * One UPDATE. It matches what this process began and what nobody has finished, or what somebody gave up meanwhile: an
 * answer that came late was paid for all the same.
 */
async function finishAlike(db: Kysely<Tables>, alike: AlikeCalls, holder: string): Promise<void> {
  const { step, ask, state, errorCode: code, outcomes } = alike;
  const answered = [...outcomes].flatMap(([jobId, outcome]) =>
    outcome.state === 'answered' ? [[jobId, outcome] as const] : [],
  );
  const column = (name: string, valueOf: (outcome: (typeof answered)[number][1]) => string | number | null) =>
    sql`, ${sql.ref(name)} = case job_id ${sql.join(
      answered.map(([jobId, outcome]) => sql`when ${jobId} then ${valueOf(outcome)}`),
      sql` `,
    )} end`;
  const columns =
    answered.length === 0
      ? []
      : [
          column('answer', (outcome) => outcome.answer),
          column('input_tokens', ({ usage }) => usage.inputTokens),
          column('output_tokens', ({ usage }) => usage.outputTokens),
          column('cache_read_tokens', ({ usage }) => usage.cacheReadTokens),
          column('cache_write_tokens', ({ usage }) => usage.cacheWriteTokens),
          column('cost_usd', ({ costUsd }) => costUsd),
          column('latency_ms', ({ latencyMs }) => latencyMs),
        ];
  await sql`
    update llm_calls
    set state = ${state}, error_code = ${code}, finished_at = ${databaseNow}${sql.join(columns, sql``)}
    where job_id in (${sql.join([...outcomes.keys()])}) and step = ${step} and ask = ${ask}
      and holder = ${holder} and state in ('calling', 'lost')`.execute(db);
}
