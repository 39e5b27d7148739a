import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateStores } from '../producers/cli/migrate-stores.ts';
import { installSamples } from '../producers/cli/models/install-samples.ts';
import { startFleet, type Fleet } from '../producers/cli/start-fleet.ts';
import type { Environment } from '../shared/config/read-settings.ts';
import { openGuard } from '../shared/embedded/open-guard.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';

export interface BenchmarkFleetOptions {
  /** What its processes are told. */
  environment: Environment;
  /** The queue of the only worker. */
  worker: string;
  /** How many processes of it; one when left out. */
  replicas?: number;
}

/** Starts a fleet with the models that come with Presage, in a folder of its own; both go with `resources`. */
export async function startBenchmarkFleet(
  { environment, worker, replicas }: BenchmarkFleetOptions,
  resources: AsyncDisposableStack,
): Promise<Fleet> {
  const guard = resources.use(await openGuard());
  const directory = await mkdtemp(join(tmpdir(), 'presage-bench-'));
  guard.removeAtEnd(directory);
  return resources.use(
    await startFleet({
      ephemeral: true,
      port: 0,
      environment,
      workers: [worker],
      ...(replicas === undefined ? {} : { replicas: { [worker]: replicas } }),
      workingDirectory: directory,
      async migrate(addresses) {
        await migrateStores(addresses);
        await installSamples(addresses, (line) => void process.stderr.write(line));
      },
      guard,
      logger: createLogger({ process: 'bench', level: 'error' }),
      logDirectory: directory,
    }),
  );
}
