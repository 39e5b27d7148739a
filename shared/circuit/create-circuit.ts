import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  isBrokenCircuitError,
  isTaskCancelledError,
} from 'cockatiel';
import { classify } from '../errors/classify.ts';
import { JobError } from '../errors/job-error.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Metrics } from '../telemetry/create-metrics.ts';

/** Failures running after which the other side is left alone. */
const failuresToOpen = 5;
/** How long it is left alone, in milliseconds; then one call is let through to see. */
const defaultHalfOpenAfterMs = 10_000;
/** When it is worth looking again while one call is being made to see. */
const lookAgainMs = 1_000;

/** As the metric's help text says. */
const circuitStateValues: Readonly<Record<CircuitState, number>> = {
  [CircuitState.Closed]: 0,
  [CircuitState.HalfOpen]: 1,
  [CircuitState.Open]: 2,
  [CircuitState.Isolated]: 2,
};

/** Keeps calls away from what has failed several times running, in this process. */
export interface Circuit {
  /**
   * Makes the call, unless the circuit is open.
   *
   * @throws JobError `unavailable` with the code `CIRCUIT_OPEN` and the time until it may be tried again;
   *   `cancelled` when the signal was aborted before the call; or what the call throws
   */
  execute<Result>(call: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
  /** How long until a call is let through, in milliseconds; 0 when the next one is. */
  opensInMs(): number;
}

export interface CircuitOptions {
  /** The metric's label: whose circuit it is. */
  name: string;
  metrics: Pick<Metrics, 'circuitState'>;
  log: Logger;
  halfOpenAfterMs?: number;
  /**
   * What calls do while one is being made to see whether the other side is well again: `refuse` them, or `wait` for
   * its outcome, which is better where calls are short and there is nobody else to ask.
   */
  whileProbed?: 'refuse' | 'wait';
  /** Whether a failure says that the other side is not well; all do unless this says otherwise. */
  isTheirs?: (error: JobError) => boolean;
}

export function createCircuit(options: CircuitOptions): Circuit {
  const { name, metrics, log, halfOpenAfterMs = defaultHalfOpenAfterMs, isTheirs = () => true } = options;
  const { whileProbed = 'refuse' } = options;
  let mayTryAtMs = 0;
  let isProbed = false;
  const breaker = circuitBreaker(
    // A call that we ended ourselves tells nothing about the other side. But a half-open circuit takes what is no
    // failure for a success and closes: there it counts, and the circuit stays open a while longer.
    handleWhen((thrown) => {
      const error = classify(thrown);
      if (error.kind === 'cancelled') return breaker.state === CircuitState.HalfOpen;
      return isTheirs(error);
    }),
    { breaker: new ConsecutiveBreaker(failuresToOpen), halfOpenAfter: halfOpenAfterMs },
  );
  const showState = (state: CircuitState) =>
    metrics.circuitState.set({ circuit: name }, circuitStateValues[state]);
  showState(breaker.state);
  breaker.onStateChange(showState);
  breaker.onBreak((reason) => {
    mayTryAtMs = performance.now() + halfOpenAfterMs;
    const err = 'error' in reason ? reason.error : undefined;
    log.warn(
      { err, circuit: name, half_open_after_ms: halfOpenAfterMs },
      'keeps failing: its circuit is open',
    );
  });
  breaker.onReset(() => log.info({ circuit: name }, 'answers again: its circuit is closed'));

  function opensInMs(): number {
    if (isProbed) return lookAgainMs;
    return breaker.state === CircuitState.Open ? Math.max(0, mayTryAtMs - performance.now()) : 0;
  }
  function isOpen(cause?: unknown): JobError {
    const message = `${name} keeps failing and is left alone for a while`;
    return new JobError('unavailable', message, {
      code: 'CIRCUIT_OPEN',
      cause,
      retryAfterMs: Math.ceil(opensInMs()),
    });
  }
  return {
    opensInMs,
    async execute(call, signal) {
      if (isProbed) throw isOpen();
      // The library itself lets the others wait for the outcome of the probe, however long that takes.
      const isProbe = whileProbed === 'refuse' && breaker.state !== CircuitState.Closed;
      isProbed = isProbe;
      try {
        return await breaker.execute(call, signal);
      } catch (error) {
        if (isBrokenCircuitError(error)) {
          isProbed = false;
          throw isOpen(error);
        }
        if (isTaskCancelledError(error)) {
          throw new JobError('cancelled', 'The call was aborted', { code: 'ABORTED', cause: error });
        }
        throw error;
      } finally {
        if (isProbe) isProbed = false;
      }
    },
  };
}
