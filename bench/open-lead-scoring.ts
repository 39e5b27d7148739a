import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateStores } from '../producers/cli/migrate-stores.ts';
import { installSamples } from '../producers/cli/models/install-samples.ts';
import { withModelStores } from '../producers/cli/models/with-model-stores.ts';
import { startFleet, type Fleet } from '../producers/cli/start-fleet.ts';
import { leadModelId, leadScoring } from '../shared/contracts/lead-scoring.ts';
import { openGuard } from '../shared/embedded/open-guard.ts';
import type { Bundle } from '../shared/models/check-bundle.ts';
import { registeredSource } from '../shared/models/registered-source.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import type { BenchmarkEnvironment } from './benchmark-report.ts';

export interface LeadScoringFleet {
  fleet: Fleet;
  /** What its workers have loaded. */
  champion: Bundle;
}

/** A fleet whose workers score leads by the model that comes with Presage; it goes with `resources`. */
export async function openLeadScoring(
  { processEnvironment }: BenchmarkEnvironment,
  workers: number,
  resources: AsyncDisposableStack,
): Promise<LeadScoringFleet> {
  const guard = resources.use(await openGuard());
  const directory = await mkdtemp(join(tmpdir(), 'presage-bench-'));
  guard.removeAtEnd(directory);
  const fleet = resources.use(
    await startFleet({
      ephemeral: true,
      port: 0,
      environment: processEnvironment,
      workers: [leadScoring.name],
      replicas: { [leadScoring.name]: workers },
      workingDirectory: directory,
      async migrate(environment) {
        await migrateStores(environment);
        await installSamples(environment, (line) => void process.stderr.write(line));
      },
      guard,
      logger: createLogger({ process: 'bench', level: 'error' }),
      logDirectory: directory,
    }),
  );
  return { fleet, champion: await championOf(fleet) };
}

function championOf(fleet: Fleet): Promise<Bundle> {
  return withModelStores(fleet.environment, async (stores) => {
    const source = registeredSource(stores, leadModelId);
    const version = await source.wanted();
    const check = version && (await source.bundle(version));
    if (!check?.isSound) throw new Error(`the model ${leadModelId} that comes with Presage is not sound`);
    return check.bundle;
  });
}
