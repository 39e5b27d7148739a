import { setTimeout as delay } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { errorKinds, type ErrorKind } from '../../../shared/errors/job-error.ts';
import type { JobRecord } from '../../../shared/ledger/job-record.ts';
import { retryJob } from '../../../shared/queue/steer-job.ts';
import { queueArgument, timeArgument, wholeNumberArgument } from '../arguments.ts';
import { withClients, writeJson, type CliClients, type CliContext } from '../cli-context.ts';
import { formatTable } from '../format-table.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';

interface Selection {
  queue?: string;
  kind?: ErrorKind;
  olderThan?: Date;
  limit?: number;
}

const defaultRate = 50;

/** Dead letters: jobs that failed for good. They stay until an operator retries or discards them. */
export function addFailedCommand(program: Command, context: CliContext): void {
  const failed = program
    .command('failed')
    .description('look at jobs that failed for good, retry or discard them');
  const run = (command: (clients: CliClients) => Promise<void>) => withClients(context, command);

  selecting(failed.command('list').description('failed jobs, newest first'))
    .option('--json', 'print one JSON document')
    .action((flags: Selection & { json?: true }) =>
      run(async (clients) => {
        const records: JobRecord[] = [];
        for await (const record of select({ limit: 100, ...flags }, clients)) records.push(record);
        if (flags.json) writeJson(context.output, { failed: records.map(summary) });
        else context.output.write(table(records));
      }),
    );

  failed
    .command('show')
    .description('one failed job')
    .argument('<id>')
    .option('--json', 'print one JSON document (the default)')
    .action((id: string) =>
      run(async (clients) => {
        const record = await clients.ledger.read(id);
        if (record?.state !== 'failed') throw new CommandFailed(`There is no failed job ${id}.`);
        writeJson(context.output, { ...summary(record), payload: record.payload });
      }),
    );

  selecting(failed.command('retry').description('do failed jobs again, each as a new generation'))
    .argument('[ids...]')
    .option('--all', 'every failed job')
    .option('--rate <number>', 'at most so many a second', wholeNumberArgument(1, 10_000), defaultRate)
    .option('--json', 'print one JSON document (the default)')
    .action((ids: string[], flags: Selection & { all?: true; rate: number }) =>
      run(async (clients) => {
        requireSelection(ids, flags, 'retry');
        let retried = 0;
        const skipped: string[] = [];
        for await (const id of selectIds(ids, flags, clients)) {
          const startedAt = performance.now();
          if (await retryJob(id, clients)) retried += 1;
          else skipped.push(id);
          await delay(Math.max(0, 1_000 / flags.rate - (performance.now() - startedAt)));
        }
        writeJson(context.output, { retried });
        requireNoneSkipped(ids, skipped);
      }),
    );

  selecting(failed.command('discard').description('give failed jobs up: they are kept as cancelled'))
    .argument('[ids...]')
    .option('--all', 'every failed job')
    .option('--json', 'print one JSON document (the default)')
    .action((ids: string[], flags: Selection & { all?: true }) =>
      run(async (clients) => {
        requireSelection(ids, flags, 'discard');
        let discarded = 0;
        const skipped: string[] = [];
        for await (const id of selectIds(ids, flags, clients)) {
          if (await clients.ledger.discard(id)) discarded += 1;
          else skipped.push(id);
        }
        writeJson(context.output, { discarded });
        requireNoneSkipped(ids, skipped);
      }),
    );
}

function selecting(command: Command): Command {
  return command
    .option('--queue <name>', 'only of this queue', queueArgument)
    .addOption(new Option('--kind <kind>', 'only failed for this kind of reason').choices(errorKinds))
    .option('--older-than <time>', 'only failed before: an age such as 10m, 2h, 7d, or a date', timeArgument)
    .option('--limit <number>', 'at most so many', wholeNumberArgument(1, 1_000_000));
}

function requireSelection(
  ids: readonly string[],
  { all, queue, kind, olderThan }: Selection & { all?: true },
  what: string,
): void {
  if (ids.length > 0 || all || queue !== undefined || kind !== undefined || olderThan !== undefined) return;
  throw new UsageError(
    `Say which: failed ${what} ID…, or --queue, --kind, --older-than; or --all for every failed job.`,
  );
}

/** Of jobs that were selected rather than named, another operator may have been faster. */
function requireNoneSkipped(named: readonly string[], skipped: readonly string[]): void {
  if (named.length === 0 || skipped.length === 0) return;
  throw new CommandFailed(`Not failed, or not in the ledger, so left alone: ${skipped.join(', ')}.`);
}

async function* selectIds(
  ids: readonly string[],
  selection: Selection,
  clients: CliClients,
): AsyncGenerator<string> {
  if (ids.length > 0) yield* ids;
  else for await (const { id } of select(selection, clients)) yield id;
}

const pageSize = 200;

/** The failed jobs of the selection, newest first, page by page. */
async function* select(
  { queue, kind, olderThan, limit = Infinity }: Selection,
  { ledger }: CliClients,
): AsyncGenerator<JobRecord> {
  let before: string | undefined;
  for (let left = limit; left > 0;) {
    const page = await ledger.list({
      states: ['failed'],
      limit: Math.min(pageSize, left),
      ...(queue === undefined ? {} : { queue }),
      ...(kind === undefined ? {} : { errorKind: kind }),
      ...(olderThan === undefined ? {} : { finishedBefore: olderThan }),
      ...(before === undefined ? {} : { before }),
    });
    yield* page;
    left -= page.length;
    before = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}

function summary(record: JobRecord) {
  return {
    job_id: record.id,
    queue: record.queue,
    error: record.error,
    attempts: record.attempts,
    generation: record.generation,
    created_at: record.createdAt.toISOString(),
    failed_at: record.finishedAt?.toISOString() ?? null,
  };
}

function table(records: readonly JobRecord[]): string {
  return formatTable(
    ['JOB', 'QUEUE', 'KIND', 'CODE', 'ATTEMPTS', 'FAILED'],
    records.map((record) => [
      record.id,
      record.queue,
      record.error?.kind ?? '',
      record.error?.code ?? '',
      String(record.attempts),
      record.finishedAt?.toISOString() ?? '',
    ]),
  );
}
