import { acceptedSchema } from '../../shared/api-contract/accepted.ts';
import { problemSchema } from '../../shared/api-contract/problem-schema.ts';
import type { WebhookSettings } from '../../shared/config/webhook-settings.ts';
import { createHttpServer, type HttpServerOptions } from '../../shared/http/create-http-server.ts';
import type { HttpServer } from '../../shared/http/http-server.ts';
import { addHealthRoutes, type HealthOptions } from '../../shared/process/health-routes.ts';
import { addWebhooks, type WebhookOptions } from '../webhook/main.ts';
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
import { addScaleRoutes, type ScaleRouteDependencies } from './routes/scale.ts';
import { toSubmitProblem } from './to-submit-problem.ts';

export interface ApiOptions
  extends
    HealthOptions,
    HttpServerOptions,
    ActivityRouteDependencies,
    AdvancedMlRouteDependencies,
    CallTimeRouteDependencies,
    InsightRouteDependencies,
    JobRouteDependencies,
    LeadScoreRouteDependencies,
    OutcomeRouteDependencies,
    PageRouteDependencies,
    PredictionRouteDependencies,
    ScaleRouteDependencies {
  webhook: { settings: WebhookSettings } & Pick<WebhookOptions, 'fetchText'>;
}

/** The HTTP API, ready to listen. */
export async function buildServer(options: ApiOptions): Promise<HttpServer> {
  const texts = {
    title: 'Presage',
    description: 'Puts prediction work into the fleet and reads what the workers wrote.',
  };
  const server = await createHttpServer(options, texts, toSubmitProblem);
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
  addScaleRoutes(server, options);
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
