import type { LoadedVersion } from './load-version.ts';
import type { ModelType } from './model-type.ts';
import type { ModelMonitor } from './monitor-model.ts';
import type { ScoredRows } from './open-scorer.ts';
import type { RowScore } from './row-score.ts';
import type { ModelInfo, ModelLease } from './served-model.ts';

/** A loaded version that several may use at once. */
export interface LentVersion<Type extends ModelType = ModelType> {
  info: ModelInfo<Type>;
  lease(): ModelLease<Type>;
  /** Frees the version's memory as soon as the last lease is over. Nothing may be leased afterwards. */
  retire(): Promise<void>;
}

/**
 * Counts the leases of a version.
 *
 * @param monitor is shown what is scored with them, and is disposed with the version
 */
export function lendVersion<Type extends ModelType>(
  { scorer, ...info }: LoadedVersion<Type>,
  monitor: ModelMonitor | undefined,
): LentVersion<Type> {
  const unused = Promise.withResolvers<void>();
  let leases = 0;
  let isRetired = false;

  function observed(scored: ScoredRows<Type>): RowScore<Type>[] {
    monitor?.observe(scored);
    return scored.scores;
  }
  function giveBack(): void {
    leases -= 1;
    if (isRetired && leases === 0) unused.resolve();
  }
  return {
    info,
    lease() {
      leases += 1;
      let isOver = false;
      return {
        ...info,
        score: async (rows) => observed(await scorer.score(rows)),
        scorePrepared: async (prepared) => observed(await scorer.scorePrepared(prepared)),
        [Symbol.dispose]() {
          if (!isOver) giveBack();
          isOver = true;
        },
      };
    },
    async retire() {
      isRetired = true;
      if (leases > 0) await unused.promise;
      monitor?.[Symbol.dispose]();
      await scorer[Symbol.asyncDispose]();
    },
  };
}
