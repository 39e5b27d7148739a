import { randomUUID } from 'node:crypto';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import type { HttpServer } from '../../shared/http/http-server.ts';
import { buildServer, type ApiOptions } from '../../producers/api/build-server.ts';
import type { RedisSettings } from '../../shared/config/redis-settings.ts';
import { leadModelId, leadScoring, type LeadScores } from '../../shared/contracts/lead-scoring.ts';
import type { ServedModelReport } from '../../shared/models/served-model-report.ts';
import { apiOptions } from './api-options.ts';
import { openTestFleet, type TestFleet } from './open-test-fleet.ts';

/** The API before a queue of leads whose workers a test plays itself. */
export interface LeadApi extends AsyncDisposable {
  fleet: TestFleet;
  server: HttpServer;
  post(
    path: string,
    body: unknown,
    options?: { headers?: Record<string, string>; on?: HttpServer },
  ): Promise<LightMyRequestResponse>;
  /** Tells, as a worker does, what one has loaded. */
  tell(changes?: Partial<Extract<ServedModelReport, { version: string }>>): Promise<void>;
  tellNotReady(): Promise<void>;
  /** What workers told is gone, as after their end. */
  forgetTold(): Promise<void>;
}

export const predictPath = '/ai/advanced-ml/predict-batch';
export const legacyPath = '/ai/advanced-ml-legacy/predict-batch';

/** What a worker answers that knows no lead. */
export const emptyScores: LeadScores = {
  predictions: [],
  errors: [],
  schema_version: 'v1',
  contract_version: 1,
  model_id: leadModelId,
  model_version: '1.0.0',
  model_sha256: 'f'.repeat(64),
  calibration_metadata: {
    method: 'sigmoid',
    parameters: { slope: 1, intercept: 0 },
    fitted_at: '2026-01-05T12:00:00.000Z',
    calibration_error: 0.004,
  },
};

export async function openLeadApi(
  change: (fleet: TestFleet) => Partial<ApiOptions> = () => ({}),
  redis?: RedisSettings,
): Promise<LeadApi> {
  await using resources = new AsyncDisposableStack();
  const fleet = resources.use(await openTestFleet([leadScoring], redis));
  const server = resources.adopt(await buildServer(apiOptions(fleet, change(fleet))), (opened) =>
    opened.close(),
  );
  const key = fleet.keys.servedModels(leadScoring.name);
  const store = (report: ServedModelReport) =>
    fleet.redis.client.hset(key, randomUUID(), JSON.stringify(report));
  const owned = resources.move();
  return {
    fleet,
    server,
    post(path, body, { headers = {}, on = server } = {}) {
      const request: InjectOptions = {
        method: 'POST',
        url: path,
        headers: { 'content-type': 'application/json', ...headers },
        payload: typeof body === 'string' ? body : JSON.stringify(body),
      };
      return on.inject(request);
    },
    async tell(changes = {}) {
      const now = new Date().toISOString();
      await store({
        status: 'ready',
        model_id: leadModelId,
        version: '1.0.0',
        sha256: 'f'.repeat(64),
        n_features: 19,
        loaded_at: now,
        // At a time to come, so that it is heard however long the test takes.
        at: new Date(Date.now() + 3_600_000).toISOString(),
        ...changes,
      });
    },
    async tellNotReady() {
      await store({ status: 'not_ready', model_id: leadModelId, at: new Date().toISOString() });
    },
    async forgetTold() {
      await fleet.redis.client.del(key);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
