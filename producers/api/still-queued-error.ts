import { JobError } from '../../shared/errors/job-error.ts';

/** The job was accepted and goes on, but its caller's waiting is over. */
export class StillQueuedError extends JobError {
  readonly jobId: string;

  /** @param wasEnded whether the waiting was ended before its time, by whoever called or by this process */
  constructor(jobId: string, { wasEnded }: { wasEnded: boolean }) {
    super(
      wasEnded ? 'cancelled' : 'unavailable',
      `The job is not done yet and goes on: its result will be at /v1/jobs/${jobId}.`,
      { code: 'STILL_QUEUED' },
    );
    this.name = 'StillQueuedError';
    this.jobId = jobId;
  }
}
