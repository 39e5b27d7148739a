import type { FastifyReply, FastifyRequest } from 'fastify';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';
import { AccessDenied } from '../../shared/http-access/add-access-control.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { PageError } from './page-error.ts';
import { messagePage } from './pages/message-page.ts';

interface Answer {
  status: number;
  title: string;
  message: string;
}

/** Tells what went wrong, as a page to whoever reads pages, else as JSON. */
export function answerError(error: Error, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const { status, title, message } = describe(error);
  if (status >= 500) {
    log.error({ err: error, request_id: request.id, route: request.routeOptions.url }, 'request failed');
  }
  if (status === 401) reply.header('www-authenticate', 'Basic realm="Presage"');
  if (status === 503) reply.header('retry-after', '5');
  reply.code(status);
  if (request.headers.accept?.includes('text/html')) {
    reply.type('text/html; charset=utf-8').send(messagePage(title, message, request.id));
  } else {
    reply.send({ error: message, request_id: request.id });
  }
}

function describe(error: Error): Answer {
  const { message } = error;
  if (error instanceof AccessDenied) {
    return error.reason === 'unauthenticated'
      ? {
          status: 401,
          title: 'A key is needed',
          message: 'Give an API key as the password; any user name does.',
        }
      : { status: 403, title: 'Not allowed', message };
  }
  if (error instanceof PageError) return { status: error.status, title: 'Not possible', message };
  if (error instanceof StoreUnavailableError)
    return { status: 503, title: 'Not now', message: `${message}.` };
  if ('statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) {
    return { status: error.statusCode, title: 'Not understood', message: 'The request is not one of ours.' };
  }
  return { status: 500, title: 'It failed', message: 'The request failed here; the logs have its number.' };
}
