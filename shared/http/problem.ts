import type { z } from 'zod';
import { problemKinds, type Problem, type ProblemCode } from '../api-contract/problem-schema.ts';

interface ProblemDetails {
  /** Instead of the code's own. */
  status?: number;
  errors?: Problem['errors'];
  jobId?: string;
  retryAfterSeconds?: number;
}

/** An answer that is not a success; thrown by routes and turned into problem details in one place. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: Problem['errors'];
  readonly jobId: string | undefined;
  /** When it is worth trying again; a few seconds where nobody knows. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, detail: string, more: ProblemDetails = {}) {
    super(detail);
    this.name = 'ProblemError';
    this.code = code;
    this.status = more.status ?? problemKinds[code].status;
    this.errors = more.errors ?? [];
    this.jobId = more.jobId;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export function problemBody(error: ProblemError, requestId: string): Problem {
  const { code, status } = error;
  return {
    type: `urn:presage:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: problemKinds[code].title,
    status,
    detail: error.message,
    code,
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
