import { v7 as uuid } from 'uuid';
import type { JobContext } from '../../shared/queue/job-context.ts';

/** What a handler is told of the first run of a new job, where nothing else is said; nobody watches or traces it. */
export function makeJobContext(told: Pick<JobContext, 'log'> & Partial<JobContext>): JobContext {
  return {
    jobId: uuid(),
    attempt: told.mayHaveRunBefore ? 2 : 1,
    isLastAttempt: false,
    waitedMs: 0,
    mayHaveRunBefore: false,
    signal: new AbortController().signal,
    progress: () => {},
    trace: (_name, work) => work({ set: () => undefined }),
    ...told,
  };
}
