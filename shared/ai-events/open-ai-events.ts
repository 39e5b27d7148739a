import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { AiEventsTable } from '../database/ai-events-table.ts';
import { isOutage } from '../database/open-database.ts';
import type { Tables } from '../database/tables.ts';
import { createGroup } from '../group/create-group.ts';
import type { Logger } from '../telemetry/create-logger.ts';

/** Telemetry of requests in the table `ai_events`. */
export interface AiEvents extends AsyncDisposable {
  /**
   * Writes what a run of a request's job has to tell, soon and together with others. It replaces what a failed run
   * told; what a completed one told stays. Nobody waits for it: what cannot be written is lost, and logged. Disposing
   * waits for what was recorded.
   */
  record(event: AiEventsTable): void;
}

const maxRowsPerStatement = 500;
/** While MySQL is slow, events are dropped rather than kept in memory without end. */
const maxWaiting = 10_000;

export function openAiEvents(db: Kysely<Tables>, log: Logger): AiEvents {
  let waiting = 0;
  const group = createGroup<AiEventsTable, void>({
    maxItems: maxRowsPerStatement,
    parallelFlushes: 1,
    async flush(events) {
      await db.insertInto('ai_events').values(events).onDuplicateKeyUpdate(unlessCompleted).execute();
      return events.map(() => undefined);
    },
    retrySingly: (error) => !isOutage(error),
  });

  async function write(event: AiEventsTable): Promise<void> {
    waiting += 1;
    try {
      await group.add(event);
    } catch (error) {
      log.warn({ err: error, job_id: event.job_id }, 'an event of the telemetry is lost');
    } finally {
      waiting -= 1;
    }
  }

  return {
    record(event) {
      if (waiting < maxWaiting) void write(event);
      else log.warn({ job_id: event.job_id }, 'an event of the telemetry is lost: too many wait');
    },
    [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
  };
}

function ifFailed<Value>(column: keyof AiEventsTable): RawBuilder<Value> {
  const name = sql.ref(column);
  return sql`if(error_code is null, ${name}, values(${name}))`;
}

/** MySQL assigns in this order, so `error_code` is the last one: the others still see the stored one. */
const unlessCompleted = {
  model_version: ifFailed<string>('model_version'),
  model_sha256: ifFailed<string>('model_sha256'),
  leads: ifFailed<number>('leads'),
  errors: ifFailed<number>('errors'),
  cache_hits: ifFailed<number>('cache_hits'),
  cache_misses: ifFailed<number>('cache_misses'),
  latency_ms: ifFailed<number>('latency_ms'),
  feature_coverage: ifFailed<number>('feature_coverage'),
  created_at: ifFailed<Date>('created_at'),
  error_code: ifFailed<string>('error_code'),
};
