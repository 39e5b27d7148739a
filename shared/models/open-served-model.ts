import { classify } from '../errors/classify.ts';
import type { JobError } from '../errors/job-error.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Metrics } from '../telemetry/create-metrics.ts';
import { lendVersion, type LentVersion } from './lend-version.ts';
import { loadVersion, type LoadedVersion } from './load-version.ts';
import type { ModelSource, WantedVersion } from './model-source.ts';
import type { ModelType } from './model-type.ts';
import { monitorModel, type ModelMetrics } from './monitor-model.ts';
import type { ServedModel } from './served-model.ts';

/** After a failure it is looked again so soon, in milliseconds, and after twice the time each further time. */
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;
/** A timer takes no longer time: it would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

export interface ServedModelOptions<Type extends ModelType> {
  modelId: string;
  /** It says whether it is the champion that is served or the challenger. */
  source: ModelSource;
  /** The kinds of models that can be used: a version of another kind is refused. */
  types: readonly Type[];
  /** After so long it is looked whether another version is to be served, in seconds. */
  ttlSeconds: number;
  metrics: ModelMetrics & Pick<Metrics, 'modelLoads' | 'challengerLoads'>;
  log: Logger;
}

interface Problem {
  text: string;
  error?: JobError;
}

/**
 * Opens a model and loads its champion. Where that is not possible the model opens without a version, says why
 * (`problem`), and tries again by itself.
 *
 * A challenger answers nobody. So nobody waits for it here; that there is none is no problem; one that is the challenger
 * no more is unloaded, also when the next one cannot be loaded; and what it is given is not measured a second time.
 */
export async function openServedModel<Type extends ModelType>(
  options: ServedModelOptions<Type>,
): Promise<ServedModel<Type>> {
  const { modelId, source, types, metrics } = options;
  const isChampion = source.alias === 'champion';
  const loads = isChampion ? metrics.modelLoads : metrics.challengerLoads;
  const log = options.log.child({ model_id: modelId, alias: source.alias });
  const ttlMs = Math.min(options.ttlSeconds * 1_000, longestTimerMs);
  const retiring = new Set<Promise<void>>();
  let serving: LentVersion<Type> | undefined;
  let problem: string | undefined;
  let isAssigned = true;
  let failures = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let lookingAfter: Promise<void> | undefined;

  /** Lets another version answer from now on. The one before goes when those who use it are done. */
  function serve(next: LentVersion<Type> | undefined): void {
    const before = serving;
    serving = next;
    if (!before) return;
    const gone = before
      .retire()
      .catch((error: unknown) => log.error({ err: error }, 'a model version could not be unloaded'))
      .finally(() => retiring.delete(gone));
    retiring.add(gone);
  }

  async function load(wanted: WantedVersion): Promise<void> {
    const startedAtMs = performance.now();
    const loaded = await loadVersion(modelId, wanted, { source, types });
    const lent = lendVersion(loaded, isChampion ? monitorModel(loaded.manifest, metrics) : undefined);
    serve(lent);
    loads.inc({ outcome: 'loaded' });
    const { version } = wanted;
    const load_ms = Math.round(performance.now() - startedAtMs);
    log.info({ version, sha256: loaded.sha256, load_ms }, 'a model version is loaded');
    void replaceWhenBroken(lent, loaded);
  }

  async function replaceWhenBroken(
    lent: LentVersion<Type>,
    { manifest, scorer }: LoadedVersion<Type>,
  ): Promise<void> {
    const error = await scorer.ended;
    if (!error || serving !== lent) return;
    serve(undefined);
    note({ text: `version ${manifest.version} broke down: ${error.message}`, error });
    await refresh();
  }

  async function look(): Promise<Problem | undefined> {
    let wanted: WantedVersion | undefined;
    try {
      wanted = await source.wanted();
    } catch (thrown) {
      const error = classify(thrown);
      return { text: `its ${source.alias} cannot be looked up: ${error.message}`, error };
    }
    isAssigned = wanted !== undefined;
    if (!wanted && isChampion) return { text: 'no version of it was promoted yet' };
    if (!wanted) {
      serve(undefined);
      return undefined;
    }
    if (wanted.manifestSha256 === serving?.info.sha256) return undefined;
    try {
      await load(wanted);
      return undefined;
    } catch (thrown) {
      if (!isChampion) serve(undefined);
      const error = classify(thrown);
      const isAway = error.kind === 'unavailable';
      loads.inc({ outcome: isAway ? 'unavailable' : 'refused' });
      const what = isAway ? 'cannot be loaded now' : 'is refused';
      return { text: `version ${wanted.version} ${what}: ${error.message}`, error };
    }
  }

  /** Tells what is wrong once, however often it is found. */
  function note(found: Problem | undefined): void {
    if (found && found.text !== problem)
      log[isChampion ? 'error' : 'warn']({ err: found.error, problem: found.text }, 'no good model');
    problem = found?.text;
  }

  async function lookAndSettle(): Promise<void> {
    clearTimeout(timer);
    const found = await look();
    note(found);
    failures = found ? failures + 1 : 0;
    const retryMs = Math.min(lastRetryMs, firstRetryMs * 2 ** (failures - 1));
    if (!isClosed) timer = setTimeout(() => void refresh(), found ? Math.min(ttlMs, retryMs) : ttlMs);
  }

  /** A look that is under way may have begun before what the caller knows of: then there is one more after it. */
  function refresh(): Promise<void> {
    if (isClosed) return Promise.resolve();
    if (looking) {
      lookingAfter ??= looking.then(() => {
        lookingAfter = undefined;
        return refresh();
      });
      return lookingAfter;
    }
    looking = lookAndSettle().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  const opened = refresh();
  if (isChampion) await opened;
  return {
    acquire: () => serving?.lease(),
    current: () => serving?.info,
    problem: () => problem,
    isAssigned: () => isAssigned,
    refresh,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      clearTimeout(timer);
      await (lookingAfter ?? looking);
      serve(undefined);
      await Promise.all(retiring);
    },
  };
}
