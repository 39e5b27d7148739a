import { stat, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { timezoneArgument, wholeNumberArgument } from '../arguments.ts';
import { describeReport } from '../backtest/describe-report.ts';
import { drawPlot } from '../backtest/draw-plot.ts';
import { readLog } from '../backtest/read-log.ts';
import { replayLog, spanOf } from '../backtest/replay-log.ts';
import { reportOf } from '../backtest/report.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';

interface BacktestFlags {
  log: string;
  days: number;
  horizon: number;
  timezone: string;
  plot?: string;
  json?: true;
}

export function addBacktestCommand(program: Command, context: CliContext): void {
  program
    .command('backtest')
    .description(
      'replay a log: how often patterns found in the days before a weekly cut-off came true in the days after',
    )
    .requiredOption('--log <file>', 'CSV with user_id, activity_type, occurred_at and optionally timezone')
    .option('--days <number>', 'days before a cut-off', wholeNumberArgument(14, 366), 30)
    .option('--horizon <number>', 'days after it', wholeNumberArgument(1, 60), 7)
    .option('--timezone <name>', 'the clock of lines that name none', timezoneArgument, 'UTC')
    .option('--plot <file>', 'draw a reliability diagram, SVG')
    .option('--json', 'print one JSON document')
    .action((flags: BacktestFlags) => backtest(flags, context));
}

async function backtest(flags: BacktestFlags, context: CliContext): Promise<void> {
  const { days, horizon, timezone } = flags;
  if (horizon >= days) throw new UsageError('--horizon must be shorter than --days.');
  const { output, messages, workingDirectory } = context;
  const path = resolve(workingDirectory, flags.log);
  const name = basename(flags.log);
  const bytes = await sizeOf(path, name);

  const reading = startBar(messages, 'reading', bytes);
  const { events, lines } = await readLog({
    path,
    name,
    timezone,
    progress: (read) => reading?.update(Math.min(read, bytes)),
  }).finally(() => reading?.stop());
  const { firstDay, lastDay } = spanOf(events);
  const span = events.size === 0 ? 0 : lastDay - firstDay + 1;
  if (span < days + horizon) {
    const bad = lines.bad === 0 ? '' : ` ${lines.bad} lines were bad.`;
    throw new CommandFailed(
      `${name} spans ${span} days; ${days + horizon} are needed to look back and forward once.${bad}`,
    );
  }

  const replaying = startBar(messages, 'replaying', 1);
  const replay = replayLog(events, {
    days,
    horizon,
    progress: (done, total) => {
      if (done === 1) replaying?.setTotal(total);
      replaying?.update(done);
    },
  });
  replaying?.stop();

  const report = reportOf(replay, events.size, lines);
  if (flags.plot !== undefined) await writePlot(resolve(workingDirectory, flags.plot), drawPlot(report));
  if (flags.json) writeJson(output, report);
  else output.write(describeReport(name, report));
}

async function sizeOf(path: string, name: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new CommandFailed(`There is no file ${name} at ${path}.`);
  return found.size;
}

async function writePlot(path: string, plot: string): Promise<void> {
  await writeFile(path, plot).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(`The plot could not be written: ${reason}.`, { cause: error });
  });
}

/** Only on a terminal. */
function startBar(messages: CliContext['messages'], doing: string, total: number): SingleBar | undefined {
  if (!messages.isTTY) return undefined;
  const bar = new SingleBar(
    { format: `{bar} {percentage}% ${doing}, {duration_formatted}`, stream: messages, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return bar;
}
