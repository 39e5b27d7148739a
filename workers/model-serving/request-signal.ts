import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../shared/http/problem.ts';

/** A caller may be in more of a hurry than the server: milliseconds from the arrival of the request. */
export const deadlineHeader = 'x-presage-deadline-ms';

/** Aborted when the answer would come too late, or when nobody is there any more to get it. */
export interface RequestSignal extends Disposable {
  signal: AbortSignal;
}

/**
 * @param longestMs the server's own deadline
 * @throws ProblemError 422 for a header that is no number of milliseconds
 */
export function openRequestSignal(
  request: FastifyRequest,
  reply: FastifyReply,
  longestMs: number,
): RequestSignal {
  const deadlineMs = Math.min(longestMs, askedFor(request) ?? longestMs);
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(tooLate(deadlineMs)), deadlineMs);
  const hungUp = () => control.abort(callerGone());
  reply.raw.once('close', hungUp);
  // Whoever went while the body was read is not heard of again.
  if (reply.raw.closed) hungUp();
  return {
    signal: control.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      reply.raw.off('close', hungUp);
    },
  };
}

function askedFor({ headers }: FastifyRequest): number | undefined {
  const header = headers[deadlineHeader];
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[1-9]\d{0,8}$/.test(header)) return Number(header);
  throw new ProblemError(
    'VALIDATION_ERROR',
    `The header ${deadlineHeader} must be a number of milliseconds.`,
  );
}

/** Nobody reads it; it is for the metrics, with the status that proxies have for it. */
function callerGone(): ProblemError {
  return new ProblemError('CANCELLED', 'The caller has gone.', { status: 499 });
}

function tooLate(deadlineMs: number): ProblemError {
  return new ProblemError('DEADLINE_EXCEEDED', `There is no answer within ${deadlineMs} ms.`);
}
