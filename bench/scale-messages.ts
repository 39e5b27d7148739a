import { z } from 'zod';
import { defineQueue } from '../shared/contracts/define-queue.ts';

/** What a process of the benchmark is to do, as it is told over IPC. */
export const scaleTaskSchema = z.object({
  /** `fleet`: the fleet's consumer with the ledger; `bare`: a BullMQ worker and nothing else. */
  kind: z.enum(['fleet', 'bare']),
  redisUrl: z.string(),
  database: z.object({
    host: z.string(),
    port: z.int(),
    database: z.string(),
    user: z.string(),
    password: z.string(),
    poolSize: z.int(),
    tls: z.boolean(),
  }),
  /** Of the names in Redis. */
  namespace: z.string(),
  queues: z.array(z.string()).min(1),
  /** Of each queue. */
  concurrency: z.int(),
  /** How long a job waits for something outside; 0: it does nothing at all. */
  workMs: z.number(),
});

export type ScaleTask = z.output<typeof scaleTaskSchema>;

/** What a process tells of a queue since its last report. */
const doneSchema = z.object({
  jobs: z.int(),
  /** When the last of them was done, in milliseconds since the epoch. */
  lastAtMs: z.number(),
  /** How long each job with a time of sending had waited when it was taken, in milliseconds. */
  waitsMs: z.array(z.number()),
});

export type QueueDone = z.output<typeof doneSchema>;

/** By queue; the first report of a process has none and says that it is ready. */
export const scaleReportSchema = z.record(z.string(), doneSchema);

/** A queue of the benchmark. */
export function scaleQueue(name: string) {
  return defineQueue({
    name,
    payload: z.object({ sentAtMs: z.number().optional() }),
    result: z.object({}),
    attempts: 3,
    deadlineMs: 60_000,
    lane: 'interactive',
  });
}

/** Milliseconds since the epoch, with fractions: comparable between processes of one machine. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
