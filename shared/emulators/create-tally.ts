export interface Tally {
  add(): void;
  /** Resolves when so many have been counted since the start. */
  reached(count: number): Promise<void>;
}

/** Counts events and tells when there were enough. */
export function createTally(): Tally {
  let total = 0;
  const watchers: { count: number; resolve: () => void }[] = [];
  return {
    add() {
      total += 1;
      for (const { count, resolve } of watchers) if (total >= count) resolve();
    },
    reached(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      watchers.push({ count, resolve });
      if (total >= count) resolve();
      return promise;
    },
  };
}
