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
  DEADLINE_EXCEEDED: { status: 504, title: 'The answer would come too late' },
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
