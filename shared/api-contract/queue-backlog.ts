import { z } from 'zod';

const count = z.int().min(0);

/** What `GET /internal/scale/{queue}` answers. */
export const queueBacklogSchema = z
  .object({
    queue: z.string(),
    backlog_seconds: z
      .number()
      .min(0)
      .meta({
        description:
          'How long one worker process would take for all that waits: waiting_jobs × mean_run_seconds ÷ jobs_at_once; ' +
          '0 while the queue is paused. Divided by the seconds that work may wait, it says how many processes are needed',
      }),
    waiting_jobs: count.meta({
      description:
        'Jobs that a worker with a free hand would take now: of any priority, children of bulk jobs too, and delayed ' +
        'ones that have come due',
    }),
    active_jobs: count.meta({ description: 'Jobs that workers have in hand; not part of the backlog' }),
    delayed_jobs: count.meta({
      description:
        'Jobs whose time has not come: scheduled, to be tried again, or put aside until a vendor answers',
    }),
    mean_run_seconds: z.number().min(0).nullable().meta({
      description:
        'How long the jobs took that were completed last; null when none is known, which counts as one second',
    }),
    measured_runs: count.meta({ description: 'How many jobs that is the mean of, 100 at most' }),
    jobs_at_once: z.int().min(1).meta({ description: 'WORKER_CONCURRENCY' }),
    paused: z
      .boolean()
      .meta({ description: 'Whether an operator has paused the queue: no worker takes jobs' }),
  })
  .meta({ id: 'QueueBacklog', description: 'The work that waits in a queue, for scaling its workers' });

export type QueueBacklog = z.output<typeof queueBacklogSchema>;
