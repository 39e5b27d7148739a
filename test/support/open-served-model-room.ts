import type { ModelSource } from '../../shared/models/model-source.ts';
import { openServedModel } from '../../shared/models/open-served-model.ts';
import type { ModelLease, ServedModel } from '../../shared/models/served-model.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../shared/telemetry/create-metrics.ts';
import { catchThreads, type CaughtThreads } from './catch-threads.ts';
import { openTestBundles, type TestBundles } from './open-test-bundles.ts';

/** A lead of whom a part of the features is known. */
export const lead = { age: 42, job: 'services', contact: 'telephone', month: 'may', euribor3m: 4.856 };

/** Where versions of the lead conversion model are served from, and what can be seen of it. */
export interface ServedModelRoom extends AsyncDisposable {
  bundles: TestBundles;
  metrics: Metrics;
  caught: CaughtThreads;
  /** Opens the model; it ends with the room. */
  open(ttlSeconds?: number): Promise<ServedModel<'binary_classifier'>>;
  /** The same for the challenger. */
  openChallenger(): Promise<ServedModel<'binary_classifier'>>;
  /** How many versions were loaded, by outcome. */
  loads(): Promise<Record<string, number>>;
  challengerLoads(): Promise<Record<string, number>>;
  logLines: readonly string[];
  errorLines(): string[];
}

export async function openServedModelRoom(): Promise<ServedModelRoom> {
  await using resources = new AsyncDisposableStack();
  const bundles = resources.use(await openTestBundles());
  const metrics = resources.use(createMetrics());
  const caught = resources.use(catchThreads());
  const logLines: string[] = [];
  const log = createLogger({ process: 'test', level: 'info', write: (line) => void logLines.push(line) });
  const owned = resources.move();
  async function open(source: ModelSource, ttlSeconds = 3_600): Promise<ServedModel<'binary_classifier'>> {
    const types = ['binary_classifier'] as const;
    return owned.use(
      await openServedModel({ modelId: 'lead-conversion', source, types, ttlSeconds, metrics, log }),
    );
  }
  async function loadsOf(counter: Pick<Metrics['modelLoads'], 'get'>): Promise<Record<string, number>> {
    const { values } = await counter.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
  }
  return {
    bundles,
    metrics,
    caught,
    open: (ttlSeconds) => open(bundles.source, ttlSeconds),
    openChallenger: () => open(bundles.challengerSource),
    loads: () => loadsOf(metrics.modelLoads),
    challengerLoads: () => loadsOf(metrics.challengerLoads),
    logLines,
    errorLines: () => logLines.filter((line) => line.includes('"level":"error"')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Takes the version that is served now; fails where there is none. */
export function lease(model: ServedModel<'binary_classifier'>): ModelLease<'binary_classifier'> {
  const held = model.acquire();
  if (!held) throw new Error(`no version: ${model.problem()}`);
  return held;
}

/** The lead's probability by that version; NaN where it is not scored. */
export async function scoreWith(held: ModelLease<'binary_classifier'>): Promise<number> {
  const [answer] = await held.score([lead]);
  return answer?.kind === 'scored' ? answer.probability : Number.NaN;
}

/** The lead's probability by the version that is served now. */
export async function score(model: ServedModel<'binary_classifier'>): Promise<number> {
  using held = lease(model);
  return await scoreWith(held);
}
