import type { LoadedVersion } from './load-version.ts';
import type { ModelMonitor } from './monitor-model.ts';
import type { ModelInfo, ModelLease } from './served-model.ts';

/** A loaded version that several may use at once. */
export interface LentVersion {
  info: ModelInfo;
  lease(): ModelLease;
  /** Frees the version's memory as soon as the last lease is over. Nothing may be leased afterwards. */
  retire(): Promise<void>;
}

/**
 * Counts the leases of a version.
 *
 * @param monitor is shown what is scored with them, and is disposed with the version
 */
export function lendVersion(
  { scorer, ...info }: LoadedVersion,
  monitor: ModelMonitor | undefined,
): LentVersion {
  const unused = Promise.withResolvers<void>();
  let leases = 0;
  let isRetired = false;

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
        async score(rows) {
          const scored = await scorer.score(rows);
          monitor?.observe(scored);
          return scored.scores;
        },
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
