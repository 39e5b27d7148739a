import type { Environment } from '../../shared/config/read-settings.ts';
import type { TestFleet } from './open-test-fleet.ts';
import { startProcess, type StartedProcess } from './start-process.ts';

/**
 * Starts the worker that serves models as a process of its own, on the stores of a test, whose queues it shares with
 * nobody: no other test puts jobs under its names.
 */
export function startServingProcess(
  { databaseSettings }: Pick<TestFleet, 'databaseSettings'>,
  environment: Environment,
): StartedProcess {
  const { host, port, database, user, password } = databaseSettings;
  return startProcess(['worker', 'model-serving'], {
    REDIS_URL: process.env['TEST_REDIS_URL'],
    DATABASE_URL: `mysql://${user}:${password}@${host}:${port}/${database}`,
    SERVING_PORT: '0',
    ...environment,
  });
}
