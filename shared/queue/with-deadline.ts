import { JobError } from '../errors/job-error.ts';

/** Work that does not come back this long after its signal was aborted is left behind. */
const abandonAfterMs = 5_000;

/**
 * Aborts the work at its deadline, and stops waiting for it when it does not heed its signal. The reason of the
 * abort says what happened, whatever the work throws then.
 */
export async function withDeadline<Result>(
  work: Promise<Result>,
  control: AbortController,
  deadlineMs: number,
): Promise<Result> {
  const { promise: abandoned, reject } = Promise.withResolvers<never>();
  let abandonTimer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    abandonTimer = setTimeout(() => reject(new Error('the work did not heed its signal')), abandonAfterMs);
  };
  control.signal.addEventListener('abort', onAbort);
  if (control.signal.aborted) onAbort();
  const deadline = setTimeout(() => {
    const message = `The job took longer than ${deadlineMs / 1_000} s`;
    control.abort(new JobError('transient', message, { code: 'DEADLINE_EXCEEDED' }));
  }, deadlineMs);
  try {
    return await Promise.race([work, abandoned]);
  } finally {
    clearTimeout(deadline);
    clearTimeout(abandonTimer);
    control.signal.removeEventListener('abort', onAbort);
  }
}
