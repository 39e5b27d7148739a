import type { Manifest } from '../../shared/models/manifest.ts';
import type { ModelType } from '../../shared/models/model-type.ts';
import { openServedModel, type ServedModelOptions } from '../../shared/models/open-served-model.ts';
import type { ModelStores } from '../../shared/models/registered-bundle.ts';
import { registeredSource } from '../../shared/models/registered-source.ts';
import type { ModelInfo, ServedModel } from '../../shared/models/served-model.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { createRowCheck, type CheckRows } from './check-rows.ts';
import { openBatches, type BatchLimits, type Batches } from './open-batches.ts';

/** After the registry did not answer it is looked again so soon, in milliseconds. */
const retryMs = 5_000;
/** A timer takes no longer time: it would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

export interface ServedModelsOptions extends Pick<
  ServedModelOptions<ModelType>,
  'types' | 'ttlSeconds' | 'log'
> {
  metrics: Metrics;
  limits: BatchLimits;
  stores: ModelStores;
}

/** A model, with what its requests share. */
export interface HostedModel {
  served: ServedModel;
  batches: Batches;
  /** The check of rows by the columns of a version. */
  rowCheckOf: (version: Pick<ModelInfo, 'manifest'>) => CheckRows;
}

/** Every model of the registry, each always by its champion. Models that are registered later come in by themselves. */
export interface ServedModels extends AsyncDisposable {
  /** `undefined` when no such model is registered. */
  get(modelId: string): HostedModel | undefined;
  /** By id, in order. */
  list(): readonly (readonly [modelId: string, model: HostedModel])[];
  /** Whether the registry could be read since the start. */
  isKnown(): boolean;
  /** Looks now which version of a model is to be served, also of one that is new. Never rejects. */
  refresh(modelId: string): Promise<void>;
}

/** Opens every model that is registered; resolves when each is loaded, or it is clear why not. */
export async function openServedModels(options: ServedModelsOptions): Promise<ServedModels> {
  const { stores, limits, metrics, log } = options;
  const ttlMs = Math.min(options.ttlSeconds * 1_000, longestTimerMs);
  const models = new Map<string, HostedModel>();
  let isKnown = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  async function openNew(): Promise<void> {
    const registered = await stores.registry.list();
    const unknown = registered.filter(({ modelId }) => !models.has(modelId));
    await Promise.all(
      unknown.map(async ({ modelId }) => {
        const source = registeredSource(stores, modelId);
        const served = await openServedModel({ ...options, modelId, source });
        const batches = openBatches({ modelId, limits, metrics });
        models.set(modelId, { served, batches, rowCheckOf: createRowCheckOf() });
      }),
    );
    isKnown = true;
  }
  async function look(): Promise<void> {
    if (isClosed) return;
    clearTimeout(timer);
    let nextMs = ttlMs;
    try {
      await openNew();
    } catch (error) {
      log.error({ err: error }, 'the models cannot be listed');
      nextMs = Math.min(ttlMs, retryMs);
    }
    timer = setTimeout(() => void lookNext(), nextMs);
  }
  /** One look at a time: two would open a new model twice. */
  let looking = look();
  function lookNext(): Promise<void> {
    looking = looking.then(look);
    return looking;
  }

  await looking;
  return {
    get: (modelId) => models.get(modelId),
    list: () => [...models].toSorted(([one], [other]) => (one < other ? -1 : 1)),
    isKnown: () => isKnown,
    refresh: (modelId) => models.get(modelId)?.served.refresh() ?? lookNext(),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await looking;
      clearTimeout(timer);
      await Promise.all([...models.values()].map(({ served }) => served[Symbol.asyncDispose]()));
    },
  };
}

/** Made once for each version. */
function createRowCheckOf(): HostedModel['rowCheckOf'] {
  const checks = new WeakMap<Manifest, CheckRows>();
  return ({ manifest }) => {
    const known = checks.get(manifest) ?? createRowCheck(manifest.feature_columns);
    checks.set(manifest, known);
    return known;
  };
}
