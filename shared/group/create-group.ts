export interface GroupOptions<Item, Result> {
  /** At most this many items are flushed together. */
  maxItems: number;
  /** At most this many bytes are flushed together; a larger single item goes alone. */
  maxBytes?: number;
  /** Size of an item in bytes; only needed with `maxBytes`. */
  weigh?: (item: Item) => number;
  /** How many flushes may run at once. */
  parallelFlushes: number;
  /** Handles the items together; answers one result per item, in order. */
  flush: (items: Item[]) => Promise<Result[]>;
  /** Whether a failed flush of several items is worth trying item by item: false for an outage. */
  retrySingly: (error: unknown) => boolean;
}

export interface Group<Item, Result> extends AsyncDisposable {
  /** Adds an item and answers its own result. */
  add(item: Item): Promise<Result>;
}

interface Entry<Item, Result> {
  item: Item;
  bytes: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Groups single operations into bulk ones without a timer: the first item is flushed at the end of the
 * current turn of the event loop, and whatever arrives while flushes are under way goes with the next one.
 * An idle system adds no delay, a busy one gets large groups. Disposing waits for what was added.
 */
export function createGroup<Item, Result>(options: GroupOptions<Item, Result>): Group<Item, Result> {
  const waiting: Entry<Item, Result>[] = [];
  const underWay = new Set<Promise<void>>();
  let scheduled = false;

  function take(): Entry<Item, Result>[] {
    const maxBytes = options.maxBytes ?? Infinity;
    let count = 0;
    let bytes = 0;
    for (const entry of waiting) {
      if (count === options.maxItems || (count > 0 && bytes + entry.bytes > maxBytes)) break;
      bytes += entry.bytes;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  async function flushEntries(entries: Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await options.flush(entries.map((entry) => entry.item));
      if (results.length !== entries.length) throw new Error('a flush must answer one result per item');
      for (const [index, result] of results.entries()) entries[index]?.resolve(result);
    } catch (error) {
      if (entries.length > 1 && options.retrySingly(error)) {
        for (const entry of entries) await flushEntries([entry]);
      } else {
        for (const entry of entries) entry.reject(error);
      }
    }
  }

  function flushWaiting(): void {
    scheduled = false;
    while (waiting.length > 0 && underWay.size < options.parallelFlushes) {
      const flushing = flushEntries(take()).finally(() => {
        underWay.delete(flushing);
        flushWaiting();
      });
      underWay.add(flushing);
    }
  }

  return {
    add(item) {
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ item, bytes: options.weigh?.(item) ?? 0, resolve, reject });
        if (scheduled || underWay.size >= options.parallelFlushes) return;
        scheduled = true;
        setImmediate(flushWaiting);
      });
    },
    async [Symbol.asyncDispose]() {
      if (waiting.length > 0) flushWaiting();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
