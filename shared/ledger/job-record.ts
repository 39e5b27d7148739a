import type { Selectable } from 'kysely';
import { z } from 'zod';
import { errorKinds } from '../errors/job-error.ts';
import type { JobPhase, JobRowState, JobsTable } from '../database/jobs-table.ts';

export const jobFailureSchema = z.object({
  kind: z.enum(errorKinds),
  code: z.string(),
  message: z.string(),
});

/** Why an attempt failed, in words that are fit for callers. */
export type JobFailure = z.output<typeof jobFailureSchema>;

/** One row of the ledger, parsed. */
export interface JobRecord {
  id: string;
  queue: string;
  state: JobRowState;
  phase: JobPhase;
  generation: number;
  payload: unknown;
  payloadVersion: number;
  result: unknown;
  error: JobFailure | null;
  attempts: number;
  priority: number;
  parentId: string | null;
  childPosition: number | null;
  requestId: string | null;
  traceparent: string | null;
  settledBy: string | null;
  createdAt: Date;
  dueAt: Date;
  finishedAt: Date | null;
  /** What the start of a job with children gave to its finish; null when it gave nothing. */
  interim: unknown;
}

export function jobRecord(row: Selectable<JobsTable>): JobRecord {
  return {
    id: row.id,
    queue: row.queue,
    state: row.state,
    phase: row.phase,
    generation: row.generation,
    payload: JSON.parse(row.payload),
    payloadVersion: row.payload_version,
    result: row.result === null ? null : JSON.parse(row.result),
    error: row.error === null ? null : jobFailureSchema.parse(JSON.parse(row.error)),
    attempts: row.attempts,
    priority: row.priority,
    parentId: row.parent_id,
    childPosition: row.child_position,
    requestId: row.request_id,
    traceparent: row.traceparent,
    settledBy: row.settled_by,
    createdAt: row.created_at,
    dueAt: row.due_at,
    finishedAt: row.finished_at,
    interim: row.interim === null ? null : JSON.parse(row.interim),
  };
}
