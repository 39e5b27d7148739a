import type { Environment } from '../../shared/config/read-settings.ts';
import type { ReadinessCheck } from '../../shared/process/health-routes.ts';
import { prepareWorker } from '../../workers/lead-scoring/main.ts';
import type { TestFleet } from './open-test-fleet.ts';

/** The worker that scores leads as a process opens it, given its environment, behind a queue of its own. */
export async function openLeadWorker(
  fleet: TestFleet,
  environment: Environment,
  resources: AsyncDisposableStack,
): Promise<ReadinessCheck> {
  const open = prepareWorker(environment);
  const { redisSettings: redis, keys, database, log, metrics, enqueue, consume } = fleet;
  const check = await open(resources, {
    redis,
    keys,
    database,
    log,
    metrics,
    tracing: fleet.tracing,
    enqueue,
    listensAt: () => undefined,
    consume: (contract, handlers, { ownStoreIsUp } = {}) =>
      void resources.use(
        consume(contract, handlers, {
          storeIsUp: async () => (await database.isUp()) && ((await ownStoreIsUp?.()) ?? true),
        }),
      ),
  });
  if (!check) throw new Error('the worker must say whether it is ready');
  return check;
}
