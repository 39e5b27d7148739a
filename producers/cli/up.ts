import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { isConfigured, type EmbeddedPart } from '../../shared/config/embedded-parts.ts';
import { processSettings } from '../../shared/config/process-settings.ts';
import { readSettings, type Environment } from '../../shared/config/read-settings.ts';
import { readRunFile, runFilePath, writeRunFile, type RunningStack } from '../../shared/config/run-file.ts';
import { openGuard } from '../../shared/embedded/open-guard.ts';
import { StackError } from '../../shared/embedded/stack-error.ts';
import { listenForStop } from '../../shared/process/listen-for-stop.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { examineFleet } from './doctor/examine-fleet.ts';
import { formatFindings } from './doctor/format-findings.ts';
import type { FleetSelection } from './fleet-processes.ts';
import { startFleet, type FleetOptions } from './start-fleet.ts';
import { CommandFailed } from './usage-error.ts';

export interface UpOptions
  extends
    FleetSelection,
    Pick<FleetOptions, 'ephemeral' | 'port' | 'environment' | 'workingDirectory' | 'migrate'> {
  /** A file that gets what runs, as JSON, once everything is ready and again after each restart. */
  readyFile?: string | undefined;
  /** Writes to standard output. */
  write: (text: string) => void;
}

/**
 * Runs the embedded stack and every process of the fleet until SIGINT, SIGTERM or SIGHUP, then stops them in
 * order. Answers the exit code 0. A second signal kills everything at once.
 *
 * @throws UsageError, ConfigurationError, CommandFailed
 */
export async function up(options: UpOptions): Promise<number> {
  const { environment, workingDirectory, write } = options;
  const { logLevel } = readSettings({ process: processSettings }, environment).process;
  const logger = createLogger({ process: 'up', level: logLevel });
  const readyFile =
    options.readyFile === undefined ? undefined : path.resolve(workingDirectory, options.readyFile);
  if (readyFile !== undefined) await rm(readyFile, { force: true }); // what it says is about another run

  function publish(stack: RunningStack): void {
    // A stack that was here before us keeps the folder's run file.
    if (ownsRunFile(workingDirectory, true)) writeRunFile(runFilePath(workingDirectory), stack);
    // The last one: who has read it finds the same in the run file.
    if (readyFile !== undefined) writeRunFile(readyFile, stack);
  }

  await using guard = await openGuard();
  using stop = listenForStop(() => guard.hurry());
  try {
    await using fleet = await startFleet({
      ...options,
      guard,
      logger,
      onChange: publish,
      signal: stop.first,
    });
    write(summary(fleet.describe(), environment));
    const telling = tellWhatToMend(fleet.environment, stop.first, write);
    if (!stop.first.aborted) await once(stop.first, 'abort');
    logger.info('stopping');
    await telling;
  } catch (error) {
    if (error instanceof StackError) throw new CommandFailed(error.message, { cause: error });
    if (error !== stop.first.reason) throw error;
  } finally {
    if (ownsRunFile(workingDirectory, false)) await rm(runFilePath(workingDirectory), { force: true });
  }
  return 0;
}

/** What `presage doctor` would find. It is running all the same, so only what is to be mended is told. */
async function tellWhatToMend(
  environment: Environment,
  stop: AbortSignal,
  write: UpOptions['write'],
): Promise<void> {
  const findings = await examineFleet(environment, { deep: false });
  if (!stop.aborted) write(formatFindings(findings.filter(({ state }) => state !== 'ok')));
}

function ownsRunFile(workingDirectory: string, ifNobodyDoes: boolean): boolean {
  const running = readRunFile(workingDirectory);
  return running ? running.up.pid === process.pid : ifNobodyDoes;
}

/** Where everything is. Passwords that are not our own stay out of sight. */
function summary(stack: RunningStack, environment: Environment): string {
  const parts: readonly EmbeddedPart[] = ['redis', 'mysql', 'dynamodb', 'artifacts'];
  const lines = parts.map((part) => {
    const address = stack[part];
    return line(part, isConfigured(part, environment) ? withoutPassword(address) : address);
  });
  const doors = [line('api', stack.api), line('dashboard', stack.dashboard)];
  if (stack.model_serving !== '') doors.push(line('models', stack.model_serving));
  return ['Presage is running; Ctrl-C stops it.', ...doors, ...lines, ''].join('\n');
}

function line(name: string, address: string): string {
  return `  ${name.padEnd(10)} ${address}`;
}

function withoutPassword(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  if (url.password !== '') url.password = '***';
  return url.href;
}
