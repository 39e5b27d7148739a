import { z } from 'zod';
import { JobError } from '../errors/job-error.ts';
import type { ModelAlias, ModelVersion, RegisteredModel } from '../models/model-registry.ts';

/** A version; its sort key is `version#<version>`. */
const versionItemSchema = z.object({
  kind: z.literal('version'),
  model_id: z.string(),
  version: z.string(),
  model_type: z.string(),
  manifest_sha256: z.string(),
  registered_at: z.string(),
});

/** Which versions of a model do what; its sort key is `aliases`. */
const aliasItemSchema = z.object({
  kind: z.literal('aliases'),
  model_id: z.string(),
  champion: z.string().optional(),
  challenger: z.string().optional(),
  former_champions: z.array(z.string()),
  history: z.array(
    z.object({ version: z.string(), action: z.enum(['promote', 'rollback']), at: z.string() }),
  ),
  revision: z.int(),
});

const itemSchema = z.discriminatedUnion('kind', [versionItemSchema, aliasItemSchema]);

export interface RegistryKey {
  pk: string;
  sk: string;
}

export function partitionKey(modelId: string): string {
  return `model#${modelId}`;
}

export function versionKey({ modelId, version }: Pick<ModelVersion, 'modelId' | 'version'>): RegistryKey {
  return { pk: partitionKey(modelId), sk: `version#${version}` };
}

export function aliasKey(modelId: string): RegistryKey {
  return { pk: partitionKey(modelId), sk: 'aliases' };
}

export function toVersionItem(version: ModelVersion): RegistryKey & z.output<typeof versionItemSchema> {
  return {
    ...versionKey(version),
    kind: 'version',
    model_id: version.modelId,
    version: version.version,
    model_type: version.modelType,
    manifest_sha256: version.manifestSha256,
    registered_at: version.registeredAt,
  };
}

export function toAliasItem(model: RegisteredModel): RegistryKey & z.output<typeof aliasItemSchema> {
  return {
    ...aliasKey(model.modelId),
    kind: 'aliases',
    model_id: model.modelId,
    ...(model.champion === undefined ? {} : { champion: model.champion }),
    ...(model.challenger === undefined ? {} : { challenger: model.challenger }),
    former_champions: model.formerChampions,
    history: model.history,
    revision: model.revision,
  };
}

/** @throws JobError `REGISTRY_ITEM_INVALID` */
export function fromVersionItem(item: unknown): ModelVersion {
  const stored = fromItem(item);
  if (stored.kind !== 'version') throw invalidItem();
  return versionOf(stored);
}

/**
 * The version that an alias names, in the item of a model's aliases.
 *
 * @throws JobError `REGISTRY_ITEM_INVALID`
 */
export function aliasedVersion(item: unknown, alias: ModelAlias): string | undefined {
  const stored = fromItem(item);
  if (stored.kind !== 'aliases') throw invalidItem();
  return stored[alias];
}

/**
 * The models in all items of theirs, by id.
 *
 * @throws JobError `REGISTRY_ITEM_INVALID`
 */
export function modelsOfItems(items: readonly unknown[]): RegisteredModel[] {
  const models = new Map<string, RegisteredModel>();
  for (const item of items) {
    const stored = fromItem(item);
    const model = models.get(stored.model_id) ?? emptyModel(stored.model_id);
    models.set(stored.model_id, model);
    if (stored.kind === 'version') model.versions.push(versionOf(stored));
    else {
      model.champion = stored.champion;
      model.challenger = stored.challenger;
      model.formerChampions = stored.former_champions;
      model.history = stored.history;
      model.revision = stored.revision;
    }
  }
  for (const { versions } of models.values()) versions.sort(byAge);
  return [...models.values()].sort((one, other) => (one.modelId < other.modelId ? -1 : 1));
}

function byAge(one: ModelVersion, other: ModelVersion): number {
  if (one.registeredAt === other.registeredAt) return 0;
  return one.registeredAt < other.registeredAt ? -1 : 1;
}

function fromItem(item: unknown): z.output<typeof itemSchema> {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) throw invalidItem();
  return parsed.data;
}

/** The table is ours alone: what is not readable was changed by somebody, or is of a later version of Presage. */
function invalidItem(): JobError {
  return new JobError('permanent', 'The model registry holds an item that is not readable', {
    code: 'REGISTRY_ITEM_INVALID',
  });
}

function versionOf(item: z.output<typeof versionItemSchema>): ModelVersion {
  return {
    modelId: item.model_id,
    version: item.version,
    modelType: item.model_type,
    manifestSha256: item.manifest_sha256,
    registeredAt: item.registered_at,
  };
}

function emptyModel(modelId: string): RegisteredModel {
  return {
    modelId,
    versions: [],
    champion: undefined,
    challenger: undefined,
    formerChampions: [],
    history: [],
    revision: 0,
  };
}
