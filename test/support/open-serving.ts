import type { ServingSettings } from '../../shared/config/serving-settings.ts';
import type { AccessSettings } from '../../shared/config/access-variables.ts';
import type { HttpServer } from '../../shared/http/http-server.ts';
import type { ModelType } from '../../shared/models/model-type.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import { withoutTracing } from '../../shared/telemetry/open-tracing.ts';
import { buildServingServer } from '../../workers/model-serving/build-serving-server.ts';
import { openServedModels, type ServedModels } from '../../workers/model-serving/open-served-models.ts';
import { openModelRoom, type ModelRoom } from './open-model-room.ts';
import { busyMachineMs } from './until.ts';

/** The HTTP interface of the models on a registry of the test's own. */
export interface ServingRoom extends AsyncDisposable {
  room: ModelRoom;
  models: ServedModels;
  server: HttpServer;
  metrics: Metrics;
  logLines: string[];
  /** Where it listens. */
  url: string;
  post(path: string, body: unknown, options?: PostOptions): Promise<Response>;
}

export interface PostOptions {
  /** Instead of the body as JSON. */
  body?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export const servingLimits = { batchRows: 64, batchWaitMs: 2, queueRows: 4_096, deadlineMs: busyMachineMs };

export interface ServingTestOptions {
  /** Registers what is there from the start. */
  prepare?: (room: ModelRoom) => Promise<void>;
  limits?: Partial<Pick<ServingSettings, keyof typeof servingLimits>>;
  access?: Partial<AccessSettings>;
}

const types: readonly ModelType[] = ['binary_classifier', 'hybrid_causal_model'];

export async function openServing(options: ServingTestOptions = {}): Promise<ServingRoom> {
  const limits = { ...servingLimits, ...options.limits };
  await using resources = new AsyncDisposableStack();
  const room = resources.use(await openModelRoom());
  await options.prepare?.(room);
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'debug', write: (line) => logLines.push(line) });
  const metrics = resources.use(createMetrics());
  const models = resources.use(
    await openServedModels({ stores: room.stores, types, limits, ttlSeconds: 3_600, metrics, log }),
  );
  const server = await buildServingServer({
    access: {
      keys: [],
      trustedNetwork: false,
      corsOrigins: [],
      requestsPerMinute: 60_000,
      ...options.access,
    },
    log,
    metrics,
    tracing: withoutTracing,
    models,
    deadlineMs: limits.deadlineMs,
  });
  resources.defer(() => server.close());
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const owned = resources.move();
  return {
    room,
    models,
    server,
    metrics,
    logLines,
    url,
    post: (path, body, { headers, ...init } = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...headers },
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
