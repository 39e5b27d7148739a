import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import type { Bundle } from '../../../shared/models/check-bundle.ts';
import { registerBundle, type ModelStores } from '../../../shared/models/registered-bundle.ts';
import { describeProblem } from './describe-models.ts';
import { verifyFolder } from './verify-bundle.ts';
import { withModelStores } from './with-model-stores.ts';

/** One folder for each model, with one for each version. */
const sampleFolder = path.join(import.meta.dirname, '../../../models');

/**
 * Registers and promotes the bundles that come with Presage, if the registry is empty. One that is not sound is told
 * and left out.
 *
 * @param tell writes a line for people
 * @throws ConfigurationError, CommandFailed, what the stores throw
 */
export function installSamples(
  environment: Environment,
  tell: (line: string) => void,
  folder = sampleFolder,
): Promise<void> {
  return withModelStores(environment, async (stores) => {
    const registered = await stores.registry.list();
    if (registered.some(({ history }) => history.length > 0)) return;
    const samples: Bundle[] = [];
    for (const directory of await bundleFolders(folder)) {
      const check = await verifyFolder(directory);
      if (check.isSound) samples.push(check.bundle);
      else tell(`${directory} is left out. ${check.problems.map(describeProblem).join('; ')}\n`);
    }
    // Samples that wait to be promoted are what is left of a start that was broken off.
    const ours = new Set(samples.map(({ manifestSha256 }) => manifestSha256));
    const versions = registered.flatMap((model) => model.versions);
    if (!versions.every(({ manifestSha256 }) => ours.has(manifestSha256))) return;
    for (const sample of samples) await install(sample, stores);
  });
}

async function bundleFolders(folder: string): Promise<string[]> {
  const manifests = await readdir(folder, { recursive: true, withFileTypes: true });
  return manifests
    .filter(({ name }) => name === 'manifest.json')
    .map(({ parentPath }) => parentPath)
    .sort();
}

async function install(sample: Bundle, stores: ModelStores): Promise<void> {
  const { model_id: id, version } = sample.manifest;
  await registerBundle(stores, sample);
  const model = await stores.registry.read(id);
  if (!model) return;
  try {
    await stores.registry.promote(model, version);
  } catch (error) {
    // Another `presage up` with the same registry was faster.
    if (!(error instanceof JobError) || error.code !== 'REGISTRY_CHANGED') throw error;
  }
}
