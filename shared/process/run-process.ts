import type { Logger } from '../telemetry/create-logger.ts';

/** What a started process tells its parent. */
export interface RunningProcess {
  /** Where its own HTTP interface listens, for processes that have one. */
  url?: string;
  /** Where its health routes answer. */
  healthUrl: string;
}

/** The message that a child of `presage up` sends when it is ready to work. */
export interface ReadyMessage extends RunningProcess {
  kind: 'ready';
}

export interface RunProcessOptions {
  logger: Logger;
  /** How long stopping may take, in milliseconds. */
  shutdownGraceMs: number;
  /** Opens everything, each resource on `resources`: what is opened first is closed last. */
  start: (resources: AsyncDisposableStack) => Promise<RunningProcess>;
}

/**
 * Runs one process of the fleet until SIGTERM, SIGINT or the end of its parent, then closes its resources
 * in reverse order within the grace period. Answers the exit code: 0 after an orderly stop, 1 when starting
 * failed or the grace period ran out. A second signal leaves at once with 1.
 */
export async function runProcess(options: RunProcessOptions): Promise<number> {
  const { logger, shutdownGraceMs } = options;
  const resources = new AsyncDisposableStack();
  const { promise: stopRequested, resolve: requestStop } = Promise.withResolvers<string>();
  let stopping = false;

  function onSignal(reason: string): void {
    if (stopping) {
      logger.warn({ reason }, 'second request to stop: leaving at once');
      process.exit(1);
    }
    stopping = true;
    logger.info({ reason }, 'stopping');
    requestStop(reason);
  }
  function onFault(error: unknown): void {
    logger.fatal({ err: error }, 'a fault outside any job: leaving');
    process.exit(1);
  }
  const onTerminate = () => onSignal('SIGTERM');
  const onInterrupt = () => onSignal('SIGINT');
  const onDisconnect = () => onSignal('the parent process is gone');
  process.on('SIGTERM', onTerminate);
  process.on('SIGINT', onInterrupt);
  process.on('disconnect', onDisconnect);
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);

  let exitCode = 0;
  try {
    const running = await options.start(resources);
    logger.info({ url: running.url, health_url: running.healthUrl }, 'ready');
    process.send?.({ kind: 'ready', ...running } satisfies ReadyMessage);
    await stopRequested;
  } catch (error) {
    logger.fatal({ err: error }, 'could not start');
    exitCode = 1;
  }
  if (!(await closeWithin(resources, shutdownGraceMs, logger))) exitCode = 1;
  logger.info({ exit_code: exitCode }, 'stopped');
  process.off('SIGTERM', onTerminate);
  process.off('SIGINT', onInterrupt);
  process.off('disconnect', onDisconnect);
  process.off('uncaughtException', onFault);
  process.off('unhandledRejection', onFault);
  return exitCode;
}

async function closeWithin(
  resources: AsyncDisposableStack,
  graceMs: number,
  logger: Logger,
): Promise<boolean> {
  const { promise: graceOver, resolve } = Promise.withResolvers<'grace over'>();
  const timer = setTimeout(() => resolve('grace over'), graceMs);
  try {
    const outcome = await Promise.race([resources.disposeAsync(), graceOver]);
    if (outcome === 'grace over') logger.error({ grace_ms: graceMs }, 'the grace period to stop is over');
    return outcome !== 'grace over';
  } catch (error) {
    logger.error({ err: error }, 'closing failed');
    return false;
  } finally {
    clearTimeout(timer);
  }
}
