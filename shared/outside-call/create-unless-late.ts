/** Makes a call unless it is late: answers `undefined` then. */
export type UnlessLate = <Value>(call: () => Promise<Value>) => Promise<Value | undefined>;

/**
 * For what is a convenience, such as a cache. A call is waited for no longer than `timeoutMs`; after one that took
 * longer, the other side is left alone for `restMs`, so that not everybody waits for it one after the other.
 */
export function createUnlessLate({ timeoutMs, restMs }: { timeoutMs: number; restMs: number }): UnlessLate {
  let restsUntilMs = 0;
  return async (call) => {
    if (performance.now() < restsUntilMs) return undefined;
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    let lastLook: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      // Where this process itself was held up, the answer has come and was not read yet: that is done in between.
      lastLook = setImmediate(() => {
        restsUntilMs = performance.now() + restMs;
        resolve(undefined);
      });
    }, timeoutMs);
    try {
      return await Promise.race([call(), late]);
    } finally {
      clearTimeout(timer);
      clearImmediate(lastLook);
    }
  };
}
