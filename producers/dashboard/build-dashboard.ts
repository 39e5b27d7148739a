import { readFile } from 'node:fs/promises';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { v4 as uuid } from 'uuid';
import type { AccessSettings } from '../../shared/config/access-variables.ts';
import { addAccessControl } from '../../shared/http-access/add-access-control.ts';
import { addHealthRoutes, type HealthOptions } from '../../shared/process/health-routes.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { addJobRoutes, type JobRouteDependencies } from './add-job-routes.ts';
import { answerError } from './answer-error.ts';
import { addBullBoard } from './bull-board.ts';
import { PageError } from './page-error.ts';

export interface DashboardOptions extends HealthOptions, JobRouteDependencies {
  access: AccessSettings;
  log: Logger;
  metrics: Metrics;
}

/** Of every answer. Nothing is kept, because pages show payloads; no page may be framed, nor run a script. */
const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // Search texts stay here. Not `no-referrer`: a form would be sent without its origin, which is checked.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

/** Bull Board and the ledger's pages, ready to listen. Everything but the health routes needs `operate`. */
export async function buildDashboard(options: DashboardOptions): Promise<FastifyInstance> {
  const { access, log, metrics } = options;
  const onError = (error: Error, request: FastifyRequest, reply: FastifyReply): void =>
    answerError(error, request, reply, log);
  const server = fastify({
    forceCloseConnections: 'idle',
    genReqId: () => uuid(),
    // For URLs that no page can have: Fastify's own answer would quote them.
    frameworkErrors: (error, request, reply) => onError(error, request, reply.headers(securityHeaders)),
  });

  server.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...securityHeaders, 'x-request-id': request.id });
  });
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.httpRequestSeconds.observe(
      { route, status: String(reply.statusCode) },
      reply.elapsedTime / 1_000,
    );
  });
  addAccessControl(server, {
    keys: access.keys,
    // A browser sends its keys along from any page, and finds this machine under any name: no exceptions here.
    trustedNetwork: false,
    corsOrigins: [],
    schemes: ['basic'],
    scopeOf: (request) => request.routeOptions.config?.scope ?? 'operate',
  });
  server.setErrorHandler(onError);
  server.setNotFoundHandler(() => {
    throw new PageError(404, 'There is no such page.');
  });
  // Buttons send forms without fields.
  server.addContentTypeParser('application/x-www-form-urlencoded', (_request, payload, done) => {
    payload.resume();
    done(null);
  });

  addHealthRoutes(server, options);
  const styles = await readFile(new URL('ledger.css', import.meta.url), 'utf8');
  server.get('/ledger.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(styles));
  server.get('/', (_request, reply) => reply.redirect('/queues', 303));
  addJobRoutes(server, options);
  await addBullBoard(server, { ...options, answerError: onError });
  await server.ready();
  return server;
}
