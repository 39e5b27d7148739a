import type { Environment } from '../../shared/config/read-settings.ts';
import type { ReadinessCheck } from '../../shared/process/health-routes.ts';
import { prepareWorker } from '../../workers/model-serving/main.ts';
import type { TestFleet } from './open-test-fleet.ts';

export interface ServingWorker {
  /** Where its models answer. */
  url: string;
  check: ReadinessCheck;
}

/** The worker that serves models as a process opens it, given its environment, behind a queue of its own. */
export async function openServingWorker(
  fleet: TestFleet,
  environment: Environment,
  resources: AsyncDisposableStack,
): Promise<ServingWorker> {
  const open = prepareWorker({ SERVING_PORT: '0', ...environment });
  const { redisSettings: redis, keys, database, log, metrics, tracing, enqueue, consume } = fleet;
  let url: string | undefined;
  const check = await open(resources, {
    redis,
    keys,
    database,
    log,
    metrics,
    tracing,
    enqueue,
    consume: (contract, handlers) => void resources.use(consume(contract, handlers)),
    listensAt(at) {
      url = at;
    },
  });
  if (!check || url === undefined) throw new Error('the worker must say where it listens and how it is');
  return { url, check };
}
