import { z } from 'zod';
import type { DispatchableJob } from '../ledger/dispatchable-job.ts';

/**
 * What a BullMQ job carries. The ledger row is the truth; this saves reading it in the usual case. Processes of two
 * versions read each other's, so it only gains optional fields; those of a newer version are kept as they are.
 */
export const jobEnvelopeSchema = z.looseObject({
  id: z.uuid(),
  phase: z.enum(['start', 'finish']),
  generation: z.int().min(1),
  /** Attempts made before this dispatch. */
  attemptsBefore: z.int().min(0),
  dueAt: z.int(),
  /** Absent when the payload is large: then it is in the ledger row. */
  payload: z.unknown().optional(),
  /** 1 when left out. */
  payloadVersion: z.int().min(1).optional(),
  parentId: z.uuid().optional(),
  requestId: z.string().optional(),
  traceparent: z.string().optional(),
  /** Where the result is waited for. */
  replyTo: z.string().optional(),
  /** When the job was put aside for the first time, in milliseconds since the epoch. */
  waitingSince: z.int().optional(),
  /** Set when the relay dispatches a job again: somebody may have run it. */
  again: z.boolean().optional(),
});

export type JobEnvelope = z.output<typeof jobEnvelopeSchema>;

export function sealEnvelope(
  job: DispatchableJob,
  extra: Pick<JobEnvelope, 'replyTo' | 'again'>,
): JobEnvelope {
  return {
    id: job.id,
    phase: job.phase === 'finish' ? 'finish' : 'start',
    generation: job.generation,
    attemptsBefore: job.attempts,
    dueAt: job.dueAt.getTime(),
    ...(job.payload === null ? {} : { payload: JSON.parse(job.payload) as unknown }),
    ...(job.payloadVersion === 1 ? {} : { payloadVersion: job.payloadVersion }),
    ...(job.parentId === null ? {} : { parentId: job.parentId }),
    ...(job.requestId === null ? {} : { requestId: job.requestId }),
    ...(job.traceparent === null ? {} : { traceparent: job.traceparent }),
    ...extra,
  };
}

/**
 * The id of a job in Redis: the ledger id, and for a later generation or step a suffix, because adding an
 * id that Redis still remembers is a silent no-op.
 */
export function redisJobId(job: Pick<DispatchableJob, 'id' | 'generation' | 'phase'>): string {
  const generation = job.generation > 1 ? `.${job.generation}` : '';
  const step = job.phase === 'finish' ? '.finish' : '';
  return `${job.id}${generation}${step}`;
}
