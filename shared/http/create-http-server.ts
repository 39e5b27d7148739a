import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { fastify, type FastifyRequest, type FastifySchemaCompiler } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { v4 as uuid } from 'uuid';
import type { z } from 'zod';
import type { AccessSettings } from '../config/access-variables.ts';
import { addAccessControl } from '../http-access/add-access-control.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Metrics } from '../telemetry/create-metrics.ts';
import type { OpenSpan, Tracing } from '../telemetry/open-tracing.ts';
import { createErrorHandler } from './create-error-handler.ts';
import { endConnectionsOnClose } from './end-connections-on-close.ts';
import type { HttpServer } from './http-server.ts';
import { ProblemError, problemFromIssues } from './problem.ts';

export interface HttpServerOptions {
  access: AccessSettings;
  log: Logger;
  metrics: Metrics;
  tracing: Tracing;
}

export interface HttpServerTexts {
  /** Of the OpenAPI document. */
  title: string;
  description: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    span?: OpenSpan;
  }
}

const bodyLimitBytes = 10 * 1024 * 1024;
const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * An HTTP server with all that has nothing to do with its routes, which are to be added: request ids, access, limits,
 * spans, metrics, problems as answers, the OpenAPI document at `/openapi.json`, readable at `/docs`.
 *
 * @param ownProblem what an error that only this server's routes throw is to the caller; `undefined`: something else
 */
export async function createHttpServer(
  options: HttpServerOptions,
  texts: HttpServerTexts,
  ownProblem: (error: Error) => ProblemError | undefined = () => undefined,
): Promise<HttpServer> {
  const answer = createErrorHandler({ log: options.log, ownProblem });
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle',
    // All that routes need is there until the last answer is sent.
    return503OnClosing: false,
    // An entity's id has up to 256 characters, each of which may be written with nine in a URL.
    routerOptions: { maxParamLength: 256 * 9 },
    // For URLs that no route can have, not even as a parameter: Fastify's own answer would quote them.
    frameworkErrors(error, request, reply) {
      reply.header('x-request-id', request.id);
      answer(error, request, reply);
    },
    genReqId(request) {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given) ? given : uuid();
    },
  }).withTypeProvider<ZodTypeProvider>();

  endConnectionsOnClose(server);
  // Fastify's own reader of text would hand a JSON body sent without its type to routes as one string.
  server.removeContentTypeParser('text/plain');
  server.decorateRequest('span');
  server.setValidatorCompiler(validatorCompiler);
  // Answers are made from our own typed values; checking them again would only cost time.
  server.setSerializerCompiler(() => (value) => JSON.stringify(value));

  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (request.routeOptions.config.scope === 'open') return;
    request.span = options.tracing.start(`${request.method} ${request.routeOptions.url ?? 'unmatched'}`, {
      kind: 'server',
      parent: traceparentOf(request),
      attributes: { 'http.request.method': request.method, 'presage.request_id': request.id },
    });
  });
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const status = String(reply.statusCode);
    request.span?.end({ attributes: { 'http.route': route, 'http.response.status_code': reply.statusCode } });
    options.metrics.httpRequestSeconds.observe({ route, status }, reply.elapsedTime / 1_000);
    options.log.debug(
      {
        request_id: request.id,
        method: request.method,
        route,
        status: reply.statusCode,
        ms: reply.elapsedTime,
      },
      'request',
    );
  });

  server.setErrorHandler<Error>(answer);
  server.setNotFoundHandler(() => {
    throw new ProblemError('NOT_FOUND', 'There is no such route; /docs lists what there is.');
  });

  await limitAccess(server, options.access);
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { ...texts, version: '1.0.0' },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await server.register(swaggerUi, { routePrefix: '/docs' });
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  return server;
}

/** W3C Trace Context, version 00; anything else is not passed on. */
function traceparentOf(request: FastifyRequest): string | undefined {
  const header = request.headers['traceparent'];
  const valid = typeof header === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header);
  return valid ? header : undefined;
}

async function limitAccess(server: HttpServer, access: AccessSettings): Promise<void> {
  if (access.corsOrigins.length > 0) {
    // Before anything asks for a key: a preflight request carries none.
    await server.register(cors, {
      origin: [...access.corsOrigins],
      exposedHeaders: ['X-Request-Id', 'Location', 'Retry-After', 'X-Presage-Features'],
    });
  }
  addAccessControl(server, {
    ...access,
    schemes: ['bearer'],
    scopeOf: (request) => request.routeOptions.config.scope ?? 'read',
  });
  if (access.keys.length === 0) return;
  await server.register(rateLimit, {
    max: access.requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: (request) => request.caller,
    // The limit is a key's, and senders of webhooks hold none.
    allowList: ({ routeOptions: { config } }) => config.scope === 'open' || config.scope === 'sender',
    errorResponseBuilder: (_request, { after }) =>
      new ProblemError('RATE_LIMITED', `This key has made its requests for now. Try again in ${after}.`),
  });
}

/** Bodies of jobs are parsed once, by their queue's contract when they are accepted; all else is parsed here. */
const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  if (httpPart === 'body') return (value: unknown) => ({ value });
  return (value: unknown) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? { value: parsed.data } : { error: problemFromIssues(parsed.error.issues) };
  };
};
