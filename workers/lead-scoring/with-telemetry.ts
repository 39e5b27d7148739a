import type { AiEvents } from '../../shared/ai-events/open-ai-events.ts';
import { leadModelId } from '../../shared/contracts/lead-scoring.ts';
import type { AiEventsTable } from '../../shared/database/ai-events-table.ts';
import { classify } from '../../shared/errors/classify.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';

type Facts = Pick<
  AiEventsTable,
  'model_version' | 'model_sha256' | 'leads' | 'errors' | 'cache_hits' | 'cache_misses' | 'feature_coverage'
>;

/** Keeps what a run has found out so far. */
export type Note = (facts: Partial<Facts>) => void;

export interface TelemetryOptions {
  /** Absent when there is to be no telemetry. */
  events: Pick<AiEvents, 'record'> | undefined;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Does a run of a job and tells how it ended. */
export async function withTelemetry<Answer>(
  { events, now }: TelemetryOptions,
  context: JobContext,
  work: (note: Note) => Promise<Answer>,
): Promise<Answer> {
  const startedAtMs = now();
  const facts: Facts = {
    model_version: null,
    model_sha256: null,
    leads: 0,
    errors: 0,
    cache_hits: 0,
    cache_misses: 0,
    feature_coverage: null,
  };
  function tell(errorCode: string | null): void {
    const endedAtMs = now();
    events?.record({
      ...facts,
      job_id: context.jobId,
      request_id: context.requestId ?? null,
      model_id: leadModelId,
      latency_ms: Math.max(0, Math.round(endedAtMs - startedAtMs)),
      error_code: errorCode,
      created_at: new Date(endedAtMs),
    });
  }

  try {
    const answer = await work((more) => Object.assign(facts, more));
    tell(null);
    return answer;
  } catch (error) {
    const { aborted } = context.signal;
    const reason: unknown = context.signal.reason;
    // Without a reason of its own, an abort leaves the job to another worker: nothing has failed.
    if (!aborted || reason instanceof JobError) tell(classify(aborted ? reason : error).code);
    throw error;
  }
}
