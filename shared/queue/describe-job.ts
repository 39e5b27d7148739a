import { z } from 'zod';
import { jobFailureSchema, type JobRecord } from '../ledger/job-record.ts';
import type { Ledger } from '../ledger/open-ledger.ts';
import type { Dispatcher, JobProgress } from './open-dispatcher.ts';

export const jobViewSchema = z.object({
  job_id: z.uuid(),
  queue: z.string(),
  state: z.enum(['accepted', 'running', 'completed', 'failed', 'cancelled']),
  progress: z.object({ done: z.int(), total: z.int() }).nullable(),
  attempts: z.int().meta({ description: 'Attempts that have ended, good or bad' }),
  result: z.unknown().meta({ description: "The worker's result once completed, else null" }),
  error: jobFailureSchema.nullable().meta({ description: 'Why the last attempt failed' }),
  parent_id: z.uuid().nullable(),
  request_id: z.string().nullable(),
  created_at: z.iso.datetime(),
  due_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
});

/** A job as callers see it. */
export type JobView = z.output<typeof jobViewSchema>;

/**
 * A ledger row and, while the job is open, what Redis knows of it. With Redis away an open job is shown as
 * `accepted` without progress.
 */
export async function describeJob(
  record: Omit<JobRecord, 'interim'>,
  sources: { dispatcher: Pick<Dispatcher, 'stateOf' | 'progressOf'>; ledger: Pick<Ledger, 'childProgress'> },
): Promise<JobView> {
  const running = record.state === 'accepted' ? await runningState(record, sources) : undefined;
  return {
    job_id: record.id,
    queue: record.queue,
    state: running ? 'running' : record.state,
    progress: running?.progress ?? null,
    attempts: record.attempts,
    result: record.result,
    error: record.error,
    parent_id: record.parentId,
    request_id: record.requestId,
    created_at: record.createdAt.toISOString(),
    due_at: record.dueAt.toISOString(),
    finished_at: record.finishedAt?.toISOString() ?? null,
  };
}

async function runningState(
  record: Parameters<typeof describeJob>[0],
  { dispatcher, ledger }: Parameters<typeof describeJob>[1],
): Promise<{ progress: JobProgress | null } | undefined> {
  if (record.phase === 'children') return { progress: await ledger.childProgress(record.id) };
  try {
    if ((await dispatcher.stateOf(record)) !== 'active') return undefined;
    return { progress: await dispatcher.progressOf(record) };
  } catch {
    // Redis is away: the ledger alone answers.
    return undefined;
  }
}
