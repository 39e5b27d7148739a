import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { fastify, type FastifyReply, type FastifyRequest, type FastifySchemaCompiler } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { v4 as uuid } from 'uuid';
import { z } from 'zod';
import { problemSchema } from '../../shared/api-contract/problem-schema.ts';
import { acceptedSchema } from '../../shared/api-contract/accepted.ts';
import type { AccessSettings } from '../../shared/config/access-variables.ts';
import type { WebhookSettings } from '../../shared/config/webhook-settings.ts';
import { addAccessControl } from '../../shared/http-access/add-access-control.ts';
import { addHealthRoutes, type HealthOptions } from '../../shared/process/health-routes.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import type { OpenSpan, Tracing } from '../../shared/telemetry/open-tracing.ts';
import { addWebhooks, type WebhookOptions } from '../webhook/main.ts';
import type { ApiServer } from './api-server.ts';
import { ProblemError, problemBody, problemFromIssues } from './problem.ts';
import { addActivityRoutes, type ActivityRouteDependencies } from './routes/activity.ts';
import { addAdvancedMlRoutes, type AdvancedMlRouteDependencies } from './routes/advanced-ml.ts';
import { addAlertRoutes } from './routes/alerts.ts';
import { addCallTimeRoutes, type CallTimeRouteDependencies } from './routes/call-times.ts';
import { addInsightRoutes, type InsightRouteDependencies } from './routes/insights.ts';
import { addJobRoutes, type JobRouteDependencies } from './routes/jobs.ts';
import { addLeadScoreRoutes, type LeadScoreRouteDependencies } from './routes/lead-scores.ts';
import { addOutcomeRoutes, type OutcomeRouteDependencies } from './routes/outcomes.ts';
import { addPageRoutes, type PageRouteDependencies } from './routes/pages.ts';
import { addPredictionRoutes, type PredictionRouteDependencies } from './routes/predictions.ts';
import { toProblem } from './to-problem.ts';

export interface ApiOptions
  extends
    HealthOptions,
    ActivityRouteDependencies,
    AdvancedMlRouteDependencies,
    CallTimeRouteDependencies,
    InsightRouteDependencies,
    JobRouteDependencies,
    LeadScoreRouteDependencies,
    OutcomeRouteDependencies,
    PageRouteDependencies,
    PredictionRouteDependencies {
  access: AccessSettings;
  webhook: { settings: WebhookSettings } & Pick<WebhookOptions, 'fetchText'>;
  log: Logger;
  metrics: Metrics;
  tracing: Tracing;
}

declare module 'fastify' {
  interface FastifyRequest {
    span?: OpenSpan;
  }
}

const bodyLimitBytes = 10 * 1024 * 1024;
const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;

/** The HTTP API, ready to listen. */
export async function buildServer(options: ApiOptions): Promise<ApiServer> {
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle',
    // An entity's id has up to 256 characters, each of which may be written with nine in a URL.
    routerOptions: { maxParamLength: 256 * 9 },
    // For URLs that no route can have, not even as a parameter: Fastify's own answer would quote them.
    frameworkErrors(error, request, reply) {
      reply.header('x-request-id', request.id);
      answerError(error, request, reply, options.log);
    },
    genReqId(request) {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given) ? given : uuid();
    },
  }).withTypeProvider<ZodTypeProvider>();

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

  server.setErrorHandler<Error>((error, request, reply) => answerError(error, request, reply, options.log));
  server.setNotFoundHandler(() => {
    throw new ProblemError('NOT_FOUND', 'There is no such route; /docs lists what there is.');
  });

  await limitAccess(server, options.access);
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Presage',
        version: '1.0.0',
        description: 'Puts prediction work into the fleet and reads what the workers wrote.',
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await server.register(swaggerUi, { routePrefix: '/docs' });
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  addHealthRoutes(server, options);
  addActivityRoutes(server, options);
  addOutcomeRoutes(server, options);
  addCallTimeRoutes(server, options);
  addAlertRoutes(server, options);
  addAdvancedMlRoutes(server, options);
  await addLeadScoreRoutes(server, options);
  addInsightRoutes(server, options);
  await addPageRoutes(server, options);
  addPredictionRoutes(server, options);
  addJobRoutes(server, options);
  await addWebhooks(server, {
    ...options,
    ...options.webhook,
    asksForKeys: options.access.keys.length > 0,
    traceparentOf: (request) => request.span?.traceparent,
    answers: { accepted: acceptedSchema, problem: problemSchema },
  });
  await server.ready();
  return server;
}

/** Answers with problem details; what is our own fault is logged too. */
function answerError(error: Error, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const problem = toProblem(error);
  if (!problem || problem.code === 'INTERNAL_ERROR') {
    log.error({ err: error, request_id: request.id, route: request.routeOptions.url }, 'request failed');
  }
  const told =
    problem ?? new ProblemError('INTERNAL_ERROR', 'The request failed here; the logs have its request id.');
  const body = problemBody(told, request.id);
  if (body.status === 401) reply.header('www-authenticate', 'Bearer');
  if (body.status === 503 || body.status === 429) {
    reply.header('retry-after', String(told.retryAfterSeconds ?? 5));
  }
  reply.code(body.status).type('application/problem+json').send(JSON.stringify(body));
}

/** W3C Trace Context, version 00; anything else is not passed on. */
function traceparentOf(request: FastifyRequest): string | undefined {
  const header = request.headers['traceparent'];
  const valid = typeof header === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header);
  return valid ? header : undefined;
}

async function limitAccess(server: ApiServer, access: AccessSettings): Promise<void> {
  if (access.corsOrigins.length > 0) {
    // Before anything asks for a key: a preflight request carries none.
    await server.register(cors, {
      origin: [...access.corsOrigins],
      exposedHeaders: ['X-Request-Id', 'Location', 'Retry-After'],
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
