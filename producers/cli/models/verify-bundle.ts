import { openArtifactFolder } from '../../../shared/models/artifact-folder.ts';
import { checkBundle, type BundleCheck } from '../../../shared/models/check-bundle.ts';
import type { ModelVersion } from '../../../shared/models/model-registry.ts';
import { checkRegistered, type ModelStores } from '../../../shared/models/registered-bundle.ts';
import { CommandFailed } from '../usage-error.ts';

/** Checks every byte of a registered version, and that its golden inputs give the expected outputs. */
export async function verifyRegistered(
  { artifacts }: Pick<ModelStores, 'artifacts'>,
  version: ModelVersion,
): Promise<BundleCheck> {
  return prove(await checkRegistered(artifacts, version));
}

/**
 * The same for a bundle in a folder of this machine.
 *
 * @throws CommandFailed when there is no such folder
 */
export async function verifyFolder(directory: string): Promise<BundleCheck> {
  using folder = openArtifactFolder(directory);
  if (!(await folder.exists())) throw new CommandFailed(`There is no folder ${directory}.`);
  return prove(await checkBundle(folder, ''));
}

async function prove(check: BundleCheck): Promise<BundleCheck> {
  if (!check.isSound) return check;
  // The library that runs models takes a while to load.
  const { proveBundle } = await import('../../../shared/models/prove-bundle.ts');
  const problems = await proveBundle(check.bundle);
  return problems.length > 0 ? { isSound: false, problems } : check;
}
