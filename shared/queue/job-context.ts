import type { Logger } from '../telemetry/create-logger.ts';
import type { OpenSpan } from '../telemetry/open-tracing.ts';

/** What a handler is told about the run that it is part of. */
export interface JobContext {
  jobId: string;
  /** The job that waits for this one. */
  parentId?: string | undefined;
  /** As the caller of the API knows the request that the job belongs to. */
  requestId?: string | undefined;
  /** 1 for the first attempt. */
  attempt: number;
  /** Whether a failure of this run is final. */
  isLastAttempt: boolean;
  /** How long ago the job was put aside for the first time because nobody could do it; 0 if it never was. */
  waitedMs: number;
  /** Whether this job may have been started before, by anyone: then look for effects that are already there. */
  mayHaveRunBefore: boolean;
  /** Aborted at the deadline, at shutdown, when the lock is lost and when the job is cancelled. */
  signal: AbortSignal;
  log: Logger;
  /** Runs a call of a vendor in a span of the job's own. */
  trace: <Result>(name: string, work: (span: Pick<OpenSpan, 'set'>) => Promise<Result>) => Promise<Result>;
  /** Tells watchers how far the job is; cheap, may be called often. */
  progress(done: number, total: number): void;
}
