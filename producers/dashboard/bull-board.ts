import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { ReadOnlyQueues } from '../../shared/queue/open-read-only-queues.ts';
import { PageError } from './page-error.ts';

/** A ledger id; in Redis, later generations and steps of the job append a suffix to it. */
const ledgerIdCharacters = 36;

/**
 * Its scripts and styles are its own files, but it sets styles on elements. The fonts that it asks a server in the
 * internet for are refused at once, so that the page never waits for them.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface BullBoardOptions {
  readOnlyQueues: ReadOnlyQueues;
  /** What answers errors, instead of Bull Board's own way, which tells the library's words. */
  answerError: NonNullable<RouteOptions['errorHandler']>;
}

/** Bull Board at `/queues`, for looking only: every button that changes something is gone, and so are their routes. */
export async function addBullBoard(
  server: FastifyInstance,
  { readOnlyQueues, answerError }: BullBoardOptions,
): Promise<void> {
  const serverAdapter = new FastifyAdapter().setBasePath('/queues');
  createBullBoard({
    serverAdapter,
    queues: readOnlyQueues.queues.map(
      (queue) =>
        new BullMQAdapter(queue, {
          readOnlyMode: true,
          allowRetries: false,
          externalJobUrl: ({ id }) => ({
            displayText: 'Ledger',
            href: `/jobs/${encodeURIComponent(String(id).slice(0, ledgerIdCharacters))}`,
          }),
        }),
    ),
    options: {
      uiConfig: {
        boardTitle: 'Presage',
        miscLinks: [{ text: 'Jobs in the ledger', url: '/jobs' }],
        hideDocsLink: true,
      },
    },
  });
  await server.register(
    async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.errorHandler = answerError;
      });
      scope.addHook('onRequest', async (request, reply) => {
        if (request.method !== 'GET' && request.method !== 'HEAD') {
          throw new PageError(405, 'Queues can only be looked at here.');
        }
        reply.header('content-security-policy', contentSecurityPolicy);
      });
      await scope.register(serverAdapter.registerPlugin());
    },
    { prefix: '/queues' },
  );
}
