import { z } from 'zod';

/** Every `code` that a problem can carry, with its status and title. */
export const problemKinds = {
  INVALID_JSON: { status: 400, title: 'The body is not JSON' },
  UNAUTHENTICATED: { status: 401, title: 'Authentication is needed' },
  FORBIDDEN: { status: 403, title: 'Not allowed' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  CANCELLED: { status: 409, title: 'The job was cancelled' },
  CONFLICT: { status: 409, title: 'The job is in another state' },
  IN_PROGRESS: { status: 409, title: 'The first request with this key is not answered yet' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The request is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The media type is not supported' },
  VALIDATION_ERROR: { status: 422, title: 'The request is not valid' },
  IDEMPOTENCY_MISMATCH: { status: 422, title: 'The key was used for another request' },
  QUEUE_FULL: { status: 429, title: 'The queue is full' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  INTERNAL_ERROR: { status: 500, title: 'Internal error' },
  CIRCUIT_OPEN: { status: 503, title: 'Left alone for a while, because it keeps failing' },
  MODEL_NOT_READY: { status: 503, title: 'No model is loaded' },
  SENDER_UNREACHABLE: { status: 503, title: 'The sender does not answer' },
  STORE_UNAVAILABLE: { status: 503, title: 'The store does not answer' },
  STILL_QUEUED: { status: 504, title: 'The job is not done yet' },
} as const;

export type ProblemCode = keyof typeof problemKinds;

const problemCodes = Object.keys(problemKinds);

/** RFC 9457 problem details. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ enum: problemCodes }),
    request_id: z.string(),
    job_id: z.uuid().optional(),
    errors: z.array(
      z.object({
        pointer: z.string().meta({ description: 'JSON Pointer into the request, as a URI fragment' }),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

export type Problem = z.output<typeof problemSchema>;

interface ProblemDetails {
  errors?: Problem['errors'];
  jobId?: string;
  retryAfterSeconds?: number;
}

/** An answer that is not a success; thrown by routes and turned into problem details in one place. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly errors: Problem['errors'];
  readonly jobId: string | undefined;
  /** When it is worth trying again; a few seconds where nobody knows. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, detail: string, more: ProblemDetails = {}) {
    super(detail);
    this.name = 'ProblemError';
    this.code = code;
    this.errors = more.errors ?? [];
    this.jobId = more.jobId;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export function problemBody(error: ProblemError, requestId: string): Problem {
  const { status, title } = problemKinds[error.code];
  return {
    type: `urn:presage:problem:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.jobId === undefined ? {} : { job_id: error.jobId }),
    errors: error.errors,
  };
}

/** Zod's issues as problem details; an array over its limit is a matter of size, not of form. */
export function problemFromIssues(issues: readonly z.core.$ZodIssue[]): ProblemError {
  const errors = issues
    .slice(0, 100)
    .map((issue) => ({ pointer: pointerTo(issue.path), detail: issue.message }));
  const tooMany = issues.find((issue) => issue.code === 'too_big' && issue.origin === 'array');
  if (tooMany) {
    return new ProblemError('PAYLOAD_TOO_LARGE', `${pointerTo(tooMany.path)}: ${tooMany.message}`, {
      errors,
    });
  }
  const [first] = errors;
  return new ProblemError('VALIDATION_ERROR', first ? `${first.pointer}: ${first.detail}` : 'not valid', {
    errors,
  });
}

function pointerTo(path: readonly PropertyKey[]): string {
  const escaped = path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return `#${escaped.join('')}`;
}
