import type { ModelAlias } from './model-registry.ts';
import type { ModelSource } from './model-source.ts';
import { checkRegistered, type ModelStores } from './registered-bundle.ts';

/** A model's versions as they are registered. */
export function registeredSource(
  { registry, artifacts }: ModelStores,
  modelId: string,
  alias: ModelAlias = 'champion',
): ModelSource {
  return {
    alias,
    wanted: () => registry.find(modelId, alias),
    bundle: (version) => checkRegistered(artifacts, { ...version, modelId }),
  };
}
