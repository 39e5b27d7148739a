import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { ConfigurationError, type Environment } from '../../shared/config/read-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { errorCode } from '../../shared/errors/classify.ts';
import { JobError, StoreUnavailableError } from '../../shared/errors/job-error.ts';
import type { CliContext } from './cli-context.ts';
import { addActivityCommand } from './commands/activity.ts';
import { addBacktestCommand } from './commands/backtest.ts';
import { addCostsCommand } from './commands/costs.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEnqueueCommand } from './commands/enqueue.ts';
import { addFailedCommand } from './commands/failed.ts';
import { addForgetCommand } from './commands/forget.ts';
import { addHealthCommand } from './commands/health.ts';
import { addJobsCommand } from './commands/jobs.ts';
import { addLeadsCommand } from './commands/leads.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addModelsCommand } from './commands/models.ts';
import { addQueuesCommand } from './commands/queues.ts';
import { addSchedulesCommand } from './commands/schedules.ts';
import { addSmokeCommand } from './commands/smoke.ts';
import { addStackCommands } from './commands/stack.ts';
import { timezoneArgument } from './arguments.ts';
import { CommandFailed, UsageError } from './usage-error.ts';

/** What the executable adds, because producers must not know it. */
export interface OutsideCommands {
  runWorkers: (queues: readonly string[], environment: Environment) => Promise<number>;
  runBenchmarks: (names: readonly string[], options: BenchOptions, context: CliContext) => Promise<number>;
}

export interface BenchOptions {
  json: boolean;
  /** What users did, as a CSV of `backtest`, instead of what is made up. */
  log: { path: string; timezone: string } | undefined;
}

interface BenchFlags {
  log?: string;
  timezone: string;
  json?: true;
}

/** Runs one command. Answers the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCommand(
  argv: readonly string[],
  context: CliContext,
  outside: OutsideCommands,
): Promise<number> {
  let exitCode = 0;
  const program = new Command('presage')
    .description('A queue-driven inference fleet.')
    .version(packageFile.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.output.write(text),
      writeErr: (text) => context.messages.write(text),
    })
    .showHelpAfterError('Use --help to see how the command is called.');
  const run = (work: Promise<number>): Promise<void> => work.then((code) => void (exitCode = code));

  addStackCommands(program, context, run);
  addProcessCommands(program, context, outside, run);
  addMigrateCommand(program, context);
  addEnqueueCommand(program, context);
  addJobsCommand(program, context);
  addFailedCommand(program, context);
  addQueuesCommand(program, context);
  addSchedulesCommand(program, context);
  addModelsCommand(program, context);
  addActivityCommand(program, context);
  addLeadsCommand(program, context);
  addBacktestCommand(program, context);
  addCostsCommand(program, context);
  addDoctorCommand(program, context);
  addHealthCommand(program, context, run);
  addSmokeCommand(program, context);
  addForgetCommand(program, context);
  program
    .command('bench')
    .description('run benchmarks; each figure comes with a control measured in the same run')
    .argument('[names...]')
    .option('--log <file>', 'for sweep: a CSV as backtest takes it, instead of a made-up log')
    .option('--timezone <name>', 'the clock of its lines that name none', timezoneArgument, 'UTC')
    .option('--json', 'print one JSON document')
    .action((names: string[], { log: file, timezone, json }: BenchFlags) => {
      const log =
        file === undefined ? undefined : { path: resolve(context.workingDirectory, file), timezone };
      return run(outside.runBenchmarks(names, { json: json ?? false, log }, context));
    });

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return explain(error, context);
  }
}

function addProcessCommands(
  program: Command,
  { environment }: CliContext,
  { runWorkers }: OutsideCommands,
  run: (work: Promise<number>) => Promise<void>,
): void {
  program
    .command('api')
    .description('run the HTTP API')
    .action(async () => run((await import('../api/main.ts')).runApi(environment)));
  program
    .command('dashboard')
    .description('run the dashboard: Bull Board and the ledger, for people to look into')
    .action(async () => run((await import('../dashboard/main.ts')).runDashboard(environment)));
  program
    .command('cron')
    .description('run the cron process: accepts a job for every tick of every schedule')
    .action(async () => run((await import('../cron/main.ts')).runCron(environment)));
  program
    .command('relay')
    .description('run the relay: makes Redis agree with the ledger')
    .action(async () => run((await import('../relay/main.ts')).runRelay(environment)));
  const names = allQueues.map(({ name }) => name);
  program
    .command('worker')
    .description('run a worker process')
    .argument('<queues...>', `all, or some of: ${names.join(', ')}`)
    .action(async (queues: string[]) => {
      const unknown = queues.find((queue) => queue !== 'all' && !names.includes(queue));
      if (unknown !== undefined) {
        throw new UsageError(`There is no queue ${unknown}. The queues are: ${names.join(', ')}.`);
      }
      await run(runWorkers(queues.includes('all') ? names : [...new Set(queues)], environment));
    });
}

function explain(error: unknown, { messages }: CliContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError) {
    messages.write(`${error.message}\n`);
    return 2;
  }
  if (error instanceof JobError && error.code === 'QUEUE_FULL') {
    messages.write(`${error.message}. Try again later, or raise QUEUE_MAX_DEPTH.\n`);
    return 1;
  }
  if (error instanceof CommandFailed || error instanceof ConfigurationError) {
    messages.write(`${error.message}\n`);
    return 1;
  }
  if (error instanceof StoreUnavailableError) {
    const code = errorCode(error.cause);
    const reason = code === undefined ? '' : ` (${code})`;
    messages.write(
      `${error.message}${reason}. Is it running, and are its address and credentials right? ` +
        '`presage doctor` says more.\n',
    );
    return 1;
  }
  if (error instanceof JobError) {
    messages.write(`${error.message} (${error.code}).\n`);
    return 1;
  }
  // A fault that nobody foresaw: everything that is known helps to find it.
  messages.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}
