import type { Insertable } from 'kysely';
import type { JobPhase, JobsTable } from '../database/jobs-table.ts';

/** What the queue room needs to know of a job in order to put it into Redis. */
export interface DispatchableJob {
  id: string;
  queue: string;
  phase: JobPhase;
  generation: number;
  /** Attempts made before this dispatch. */
  attempts: number;
  priority: number;
  dueAt: Date;
  /** JSON text; null when it is too large for Redis and stays in the ledger row. */
  payload: string | null;
  payloadVersion: number;
  parentId: string | null;
  requestId: string | null;
  traceparent: string | null;
}

/** A payload of more bytes goes by reference to the ledger row. */
export const largestInlinePayloadBytes = 32 * 1024;

type Row = Pick<
  Insertable<JobsTable>,
  | 'id'
  | 'queue'
  | 'phase'
  | 'generation'
  | 'attempts'
  | 'priority'
  | 'due_at'
  | 'payload_version'
  | 'parent_id'
  | 'request_id'
  | 'traceparent'
> & { payload: string | null };

export function toDispatchable(row: Row): DispatchableJob {
  const inline = row.payload !== null && Buffer.byteLength(row.payload) <= largestInlinePayloadBytes;
  return {
    id: row.id,
    queue: row.queue,
    phase: row.phase ?? 'start',
    generation: row.generation ?? 1,
    attempts: row.attempts ?? 0,
    priority: row.priority,
    dueAt: row.due_at,
    payload: inline ? row.payload : null,
    payloadVersion: row.payload_version ?? 1,
    parentId: row.parent_id ?? null,
    requestId: row.request_id ?? null,
    traceparent: row.traceparent ?? null,
  };
}
