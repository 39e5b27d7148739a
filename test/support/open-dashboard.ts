import type { FastifyInstance } from 'fastify';
import { buildDashboard } from '../../producers/dashboard/build-dashboard.ts';
import type { AccessSettings } from '../../shared/config/access-variables.ts';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import { openReadOnlyQueues } from '../../shared/queue/open-read-only-queues.ts';
import type { TestFleet } from './open-test-fleet.ts';

export interface TestDashboard extends AsyncDisposable {
  server: FastifyInstance;
}

/** The dashboard on a test's own stores; without keys unless the test gives some. */
export async function openDashboard(
  fleet: TestFleet,
  contracts: readonly QueueContract[],
  keys: AccessSettings['keys'] = [],
): Promise<TestDashboard> {
  const readOnlyQueues = openReadOnlyQueues({ ...fleet, connection: fleet.redis.client, contracts });
  const server = await buildDashboard({
    ...fleet,
    readOnlyQueues,
    access: { keys, trustedNetwork: false, corsOrigins: ['https://shop.example'], requestsPerMinute: 1_000 },
    registry: fleet.metrics.registry,
    checkReadiness: async () => ({ mysql: (await fleet.database.isUp()) ? 'ok' : 'failed' }),
  });
  return {
    server,
    async [Symbol.asyncDispose]() {
      await server.close();
      await readOnlyQueues[Symbol.asyncDispose]();
    },
  };
}
