/**
 * Why a job failed. The kind decides what happens next (see `decideRetry` in the queue room):
 *
 * - `invalid-input`: the payload itself is wrong; never retried
 * - `permanent`: will fail the same way again (our bug, a refused request); never retried
 * - `transient`: may pass when tried again
 * - `rate-limited`: a vendor asked us to slow down; `retryAfterMs` says for how long
 * - `unavailable`: something the job needs does not answer at the moment
 * - `cancelled`: somebody cancelled the job, or its process is shutting down
 */
export const errorKinds = [
  'invalid-input',
  'permanent',
  'transient',
  'rate-limited',
  'unavailable',
  'cancelled',
] as const;

export type ErrorKind = (typeof errorKinds)[number];

export interface JobErrorOptions {
  /** Machine-readable reason, upper snake case, for example `STORE_UNAVAILABLE`. */
  code: string;
  /** What the vendor's `Retry-After` asked for, in milliseconds. */
  retryAfterMs?: number;
  /** Not to be tried again, whatever its kind: everything that could help was waited for. */
  isFinal?: boolean;
  cause?: unknown;
}

/**
 * A failure that says what it means. Its message is shown to callers and written to logs:
 * it must never hold a phone number, a name, a key or any part of a payload.
 */
export class JobError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  readonly isFinal: boolean;

  constructor(kind: ErrorKind, message: string, options: JobErrorOptions) {
    super(message, { cause: options.cause });
    this.name = 'JobError';
    this.kind = kind;
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
    this.isFinal = options.isFinal ?? false;
  }
}

const storeNames = {
  mysql: 'MySQL',
  redis: 'Redis',
  dynamodb: 'DynamoDB',
  artifacts: 'The artifact store',
} as const;

/** One of our own stores does not answer. Consuming pauses; no attempt is spent. */
export class StoreUnavailableError extends JobError {
  readonly store: keyof typeof storeNames;

  constructor(store: keyof typeof storeNames, cause: unknown) {
    super('unavailable', `${storeNames[store]} does not answer`, { code: 'STORE_UNAVAILABLE', cause });
    this.name = 'StoreUnavailableError';
    this.store = store;
  }
}

/** No version of the model that the job needs is loaded in this process. Consuming pauses; no attempt is spent. */
export class ModelNotReadyError extends JobError {
  constructor(modelId: string) {
    super('unavailable', `No version of the model ${modelId} is loaded`, { code: 'MODEL_NOT_READY' });
    this.name = 'ModelNotReadyError';
  }
}

/**
 * A producer of a newer version wrote the payload, and this process would do it wrongly or not at all. The job is left
 * to a newer worker; no attempt is spent.
 */
export class NewerPayloadError extends JobError {
  constructor(version: number) {
    super('unavailable', `The job waits for a worker that knows version ${version} of its payload`, {
      code: 'NEWER_PAYLOAD',
    });
    this.name = 'NewerPayloadError';
  }
}

/** Nobody can do the job's work at the moment. It is put aside for a while; no attempt is spent. */
export class MustWaitError extends JobError {
  /** How long to put it aside, in milliseconds. */
  readonly waitMs: number;

  constructor(message: string, options: { code: string; waitMs: number; cause?: unknown }) {
    super('unavailable', message, { code: options.code, cause: options.cause });
    this.name = 'MustWaitError';
    this.waitMs = options.waitMs;
  }
}
