import type { ModelSource } from './model-source.ts';
import { checkRegistered, type ModelStores } from './registered-bundle.ts';

/** A model's versions as they are registered. */
export function registeredSource({ registry, artifacts }: ModelStores, modelId: string): ModelSource {
  return {
    champion: () => registry.find(modelId, 'champion'),
    bundle: (version) => checkRegistered(artifacts, { ...version, modelId }),
  };
}
