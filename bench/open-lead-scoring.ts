import { withModelStores } from '../producers/cli/models/with-model-stores.ts';
import type { Fleet } from '../producers/cli/start-fleet.ts';
import { leadModelId, leadScoring } from '../shared/contracts/lead-scoring.ts';
import type { Bundle } from '../shared/models/check-bundle.ts';
import { registeredSource } from '../shared/models/registered-source.ts';
import type { BenchmarkEnvironment } from './benchmark-report.ts';
import { startBenchmarkFleet } from './start-benchmark-fleet.ts';

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
  const fleet = await startBenchmarkFleet(
    { environment: processEnvironment, worker: leadScoring.name, replicas: workers },
    resources,
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
