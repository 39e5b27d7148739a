import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../telemetry/create-logger.ts';
import { ChildStartError, type ChildDefinition } from './child-definition.ts';
import { lastLines } from './last-lines.ts';
import type { Guard } from './open-guard.ts';
import { spawnChild, type Child } from './spawn-child.ts';

export interface RestartPolicy {
  /** The wait before the first restart, in milliseconds; doubled with every further one. */
  firstDelayMs: number;
  longestDelayMs: number;
  /** A child that worked this long before it ended counts as sound: the delay begins anew. */
  soundAfterMs: number;
  /** How often a child that was never ready is started. */
  firstStarts: number;
}

export const defaultRestartPolicy: RestartPolicy = {
  firstDelayMs: 100,
  longestDelayMs: 5_000,
  soundAfterMs: 10_000,
  firstStarts: 5,
};

export interface SuperviseOptions {
  guard: Guard;
  logger: Logger;
  policy?: Partial<RestartPolicy>;
  /** Called each time the child is ready, also after a restart, when `pid` and `ready` may be new. */
  onReady?: () => void;
}

/** A child that is started again whenever it ends by itself. Disposing it stops it. */
export interface SupervisedChild<Ready = unknown> extends AsyncDisposable {
  readonly name: string;
  /** `undefined` while it does not run. */
  readonly pid: number | undefined;
  /** What it answered when it became ready; `undefined` while it is not. */
  readonly ready: Ready | undefined;
  /**
   * Starts it, also after `stop`; resolves when it is ready.
   *
   * @throws ChildStartError when it ended before that, as often as the policy allows
   */
  start(): Promise<void>;
  /** SIGTERM, and SIGKILL when its time is over; resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
}

/** The wait before the restart that follows so many failures running, in milliseconds. */
export function restartDelayMs(failures: number, policy: RestartPolicy): number {
  return Math.min(policy.firstDelayMs * 2 ** (failures - 1), policy.longestDelayMs);
}

export function supervise<Ready>(
  definition: ChildDefinition<Ready>,
  options: SuperviseOptions,
): SupervisedChild<Ready> {
  const { guard, logger } = options;
  const policy = { ...defaultRestartPolicy, ...options.policy };
  let child: Child<Ready> | undefined;
  let ready: Ready | undefined;
  let stopping = new AbortController();
  /** The loop that keeps the child alive; `undefined` while it is stopped. */
  let loop: Promise<void> | undefined;

  /** One start of the child, until it has ended. Answers why, and whether it had worked well before. */
  async function live(onReady: () => void): Promise<{ reason: string; sound: boolean }> {
    let readyAt: number | undefined;
    let reason: string | undefined;
    try {
      child = spawnChild(definition, guard);
      ready = await child.ready;
      readyAt = performance.now();
      onReady();
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    const end = await child?.ended;
    child = undefined;
    ready = undefined;
    const sound = readyAt !== undefined && performance.now() - readyAt >= policy.soundAfterMs;
    return { reason: reason ?? end ?? 'it ended', sound };
  }

  async function keepAlive(signal: AbortSignal, onFirstReady: () => void): Promise<void> {
    let failures = 0;
    let everReady = false;
    while (!signal.aborted) {
      const { reason, sound } = await live(() => {
        everReady = true;
        onFirstReady();
        options.onReady?.();
      });
      if (signal.aborted) break;
      failures = sound ? 1 : failures + 1;
      if (!everReady && failures >= policy.firstStarts) {
        throw new ChildStartError(definition, reason, lastLines(definition.logFile));
      }
      const delayMs = restartDelayMs(failures, policy);
      logger.warn({ child: definition.name, reason, delay_ms: delayMs }, 'a child ended: starting it again');
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
    }
    throw new ChildStartError(definition, 'it was stopped', '');
  }

  async function stop(first: NodeJS.Signals): Promise<void> {
    stopping.abort();
    child?.signal(first);
    const killer = setTimeout(() => {
      logger.error({ child: definition.name }, 'a child did not stop in time: killing it');
      child?.signal('SIGKILL');
    }, definition.stopTimeoutMs);
    await loop;
    clearTimeout(killer);
  }

  return {
    name: definition.name,
    get pid() {
      return child?.pid;
    },
    get ready() {
      return ready;
    },
    async start() {
      if (loop) throw new Error(`${definition.name} was started already`);
      stopping = new AbortController();
      const { promise: firstReady, resolve, reject } = Promise.withResolvers<void>();
      loop = keepAlive(stopping.signal, resolve)
        .catch(reject) // without effect when it had been ready
        .finally(() => {
          loop = undefined;
        });
      await firstReady;
    },
    stop: () => stop('SIGTERM'),
    kill: () => stop('SIGKILL'),
    [Symbol.asyncDispose]: () => stop('SIGTERM'),
  };
}
