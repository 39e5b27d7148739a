import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../telemetry/create-logger.ts';
import { ProblemError, problemBody } from './problem.ts';
import { toProblem } from './to-problem.ts';

/** How a problem is written. */
export interface ErrorFormat {
  contentType: string;
  statusOf: (problem: ProblemError) => number;
  bodyOf: (problem: ProblemError, requestId: string) => unknown;
}

const problemDetails: ErrorFormat = {
  contentType: 'application/problem+json',
  statusOf: ({ status }) => status,
  bodyOf: problemBody,
};

export interface ErrorHandlerOptions {
  log: Logger;
  /** What an error that only this server's routes throw is to the caller; `undefined`: something else. */
  ownProblem: (error: Error) => ProblemError | undefined;
  /** RFC 9457 problem details without it. */
  format?: ErrorFormat;
}

export type ErrorHandler = (error: Error, request: FastifyRequest, reply: FastifyReply) => void;

/** Tells callers what went wrong; what is our own fault is logged too. */
export function createErrorHandler(options: ErrorHandlerOptions): ErrorHandler {
  const { log, ownProblem, format = problemDetails } = options;
  return (error, request, reply) => {
    const problem = ownProblem(error) ?? toProblem(error);
    if (!problem || problem.code === 'INTERNAL_ERROR') {
      log.error({ err: error, request_id: request.id, route: request.routeOptions.url }, 'request failed');
    }
    const told =
      problem ?? new ProblemError('INTERNAL_ERROR', 'The request failed here; the logs have its request id.');
    const status = format.statusOf(told);
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 503 || status === 429) {
      reply.header('retry-after', String(told.retryAfterSeconds ?? 5));
    }
    reply
      .code(status)
      .type(format.contentType)
      .send(JSON.stringify(format.bodyOf(told, request.id)));
  };
}
