import { JobError } from '../../shared/errors/job-error.ts';

/** SNS cannot be asked what has to be asked. It sends its message again, as after every 503. */
export class SnsUnreachableError extends JobError {
  constructor(cause: unknown) {
    super('unavailable', 'SNS does not answer', { code: 'SENDER_UNREACHABLE', cause });
    this.name = 'SnsUnreachableError';
  }
}
