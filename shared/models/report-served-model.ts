import type { Cluster, Redis } from 'ioredis';
import type { Logger } from '../telemetry/create-logger.ts';
import type { ServedModel } from './served-model.ts';
import { parseFreshReport, reportEveryMs, type ServedModelReport } from './served-model-report.ts';

export interface ReportOptions {
  model: Pick<ServedModel, 'current' | 'problem'>;
  modelId: string;
  /** A client that fails fast. */
  redis: Redis | Cluster;
  /** Where the processes of the queue tell it: a hash, with a field for each process. */
  key: string;
  processId: string;
  log: Logger;
}

export interface ModelReporter extends AsyncDisposable {
  /** Tells it now, because something has changed. Never rejects. */
  report(): Promise<void>;
}

/** The hash outlives the fleet by no more than this. */
const expirySeconds = 60;

/** Tells again and again which model this process has loaded, until it is disposed: then it takes that back. */
export function reportServedModel(options: ReportOptions): ModelReporter {
  const { model, modelId, redis, key, processId, log } = options;

  function describe(): ServedModelReport {
    const at = new Date().toISOString();
    const loaded = model.current();
    if (!loaded) return { status: 'not_ready', model_id: modelId, at };
    return {
      status: model.problem() === undefined ? 'ready' : 'degraded',
      model_id: modelId,
      version: loaded.manifest.version,
      sha256: loaded.sha256,
      n_features: loaded.manifest.feature_columns.length,
      loaded_at: loaded.loadedAt,
      at,
    };
  }

  /** Processes that were killed could not take back what they told. */
  async function removeStale(): Promise<void> {
    const now = Date.now();
    const told = Object.entries(await redis.hgetall(key));
    const stale = told.filter(([, text]) => parseFreshReport(text, now) === undefined);
    if (stale.length > 0) await redis.hdel(key, ...stale.map(([field]) => field));
  }

  let isClosed = false;
  async function tell(): Promise<void> {
    if (isClosed) return;
    try {
      await redis.hset(key, processId, JSON.stringify(describe()));
      await redis.expire(key, expirySeconds);
      await removeStale();
    } catch (error) {
      log.debug({ err: error }, 'the loaded model is not told: Redis is away');
    }
  }

  /** One after the other, so that the last one tells how it is. */
  let telling = tell();
  function report(): Promise<void> {
    telling = telling.then(tell);
    return telling;
  }
  const timer = setInterval(() => void report(), reportEveryMs);

  return {
    report,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      clearInterval(timer);
      await telling;
      await redis.hdel(key, processId).catch(() => undefined);
    },
  };
}
