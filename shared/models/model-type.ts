import type { Manifest } from './manifest.ts';

/** A kind of model, as manifests name it. */
export type ModelType = Manifest['model_type'];

type ManifestByType = { [Type in ModelType]: Extract<Manifest, { model_type: Type }> };

/** The manifest of a model of this kind. */
export type ManifestOf<Type extends ModelType> = ManifestByType[Type];

export function isOfType<Type extends ModelType>(
  manifest: Manifest,
  type: Type,
): manifest is ManifestOf<Type> {
  return manifest.model_type === type;
}
