/** Requests to stop this process, from a terminal or from whoever manages it. */
export interface StopRequests extends Disposable {
  /** Aborted by the first request. */
  first: AbortSignal;
}

// Ctrl-C in a terminal reaches us from the terminal and again from an `npm start` above us: one request.
const sameRequestMs = 500;

/**
 * Listens for SIGINT, SIGTERM and SIGHUP (the terminal was closed). A second request means "at once": then
 * `beforeLeaving` is called and the process exits with 1.
 */
export function listenForStop(beforeLeaving: () => void): StopRequests {
  const first = new AbortController();
  let requestedAt: number | undefined;

  function onSignal(name: NodeJS.Signals): void {
    requestedAt ??= performance.now();
    first.abort(new Error(`stopped by ${name}`));
    if (performance.now() - requestedAt < sameRequestMs) return;
    beforeLeaving();
    process.exit(1);
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    first: first.signal,
    [Symbol.dispose]() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
