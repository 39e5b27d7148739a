import { InvalidArgumentError, type Command } from 'commander';
import { allQueues } from '../../../shared/contracts/all-queues.ts';
import type { JobFilter } from '../../../shared/ledger/read-jobs.ts';
import { describeJob, type JobView } from '../../../shared/queue/describe-job.ts';
import { cancelJob } from '../../../shared/queue/steer-job.ts';
import { readAnswers } from '../../../shared/text-generation/read-answers.ts';
import { queueArgument, timeArgument, wholeNumberArgument } from '../arguments.ts';
import { requireRedis, withClients, writeJson, type CliClients, type CliContext } from '../cli-context.ts';
import { findJobs } from '../find-jobs.ts';
import { formatTable } from '../format-table.ts';
import { followJob } from '../show-progress.ts';
import { CommandFailed } from '../usage-error.ts';

const states = ['accepted', 'running', 'completed', 'failed', 'cancelled'] as const;
type State = (typeof states)[number];

interface ListFlags {
  queue?: string;
  state?: State;
  since?: Date;
  search?: string;
  limit: number;
  json?: true;
}

export function addJobsCommand(program: Command, context: CliContext): void {
  const jobs = program.command('jobs').description('look at jobs in the ledger, and steer them');

  jobs
    .command('list')
    .description('jobs, newest first')
    .option('--queue <name>', 'only of this queue', queueArgument)
    .option('--state <state>', `only in this state: ${states.join(', ')}`, stateArgument)
    .option('--since <time>', 'only accepted since: a date, or an age such as 10m, 2h, 7d', timeArgument)
    .option('--search <text>', 'only with this text in id, payload or result')
    .option('--limit <number>', 'at most so many', wholeNumberArgument(1, 10_000), 50)
    .option('--json', 'print one JSON document')
    .action((flags: ListFlags) => withClients(context, (clients) => list(flags, clients, context)));

  jobs
    .command('show')
    .description('one job with its result or error')
    .argument('<id>')
    .option('--answers', "with what vendors' models answered, from the journal of calls")
    .option('--json', 'print one JSON document (the default)')
    .action((id: string, flags: { answers?: true }) =>
      withClients(context, async (clients) => {
        const record = await clients.ledger.read(id);
        if (!record) throw new CommandFailed(`There is no job ${id}.`);
        writeJson(context.output, {
          ...(await describeJob(record, clients)),
          payload: record.payload,
          payload_version: record.payloadVersion,
          ...(flags.answers ? { answers: await readAnswers(clients.database.db, id) } : {}),
        });
      }),
    );

  jobs
    .command('watch')
    .description('follow a job until it is done; exit 0 when it completed')
    .argument('<id>')
    .option('--json', 'print one JSON document (the default)')
    .action((id: string) =>
      withClients(context, async (clients) => {
        const aDayMs = 86_400_000;
        const view = (await clients.ledger.read(id)) && (await followJob(id, aDayMs, clients, context));
        if (!view) throw new CommandFailed(`There is no job ${id}.`);
        writeJson(context.output, view);
        if (view.state !== 'completed') throw new CommandFailed(`The job ${id} is ${view.state}.`);
      }),
    );

  jobs
    .command('cancel')
    .description('cancel a job that is not done yet, and its children')
    .argument('<id>')
    .option('--json', 'print one JSON document (the default)')
    .action((id: string) => withClients(context, (clients) => cancel(id, clients, context)));
}

async function list(flags: ListFlags, clients: CliClients, { output }: CliContext): Promise<void> {
  const filter: JobFilter = {
    limit: flags.limit,
    ...(flags.queue === undefined ? {} : { queue: flags.queue }),
    ...(flags.since === undefined ? {} : { since: flags.since }),
    ...(flags.search === undefined ? {} : { search: flags.search }),
    ...(flags.state === undefined ? {} : { states: [flags.state === 'running' ? 'accepted' : flags.state] }),
  };
  // Only Redis knows which of the accepted jobs workers have in hand.
  if (flags.state === 'running') {
    await requireRedis(clients);
    const queues = flags.queue === undefined ? allQueues.map(({ name }) => name) : [flags.queue];
    filter.ids = (await Promise.all(queues.map((queue) => clients.dispatcher.activeJobIds(queue)))).flat();
  }
  const records =
    flags.search === undefined || flags.state === 'running'
      ? await clients.ledger.list(filter)
      : await findJobs(clients.ledger, { ...flags, search: flags.search, state: flags.state });
  const views = await Promise.all(records.map((record) => describeJob(record, clients)));
  const shown = views.filter((view) => flags.state === undefined || view.state === flags.state);
  if (flags.json) writeJson(output, { jobs: shown });
  else output.write(table(shown));
}

function table(views: readonly JobView[]): string {
  return formatTable(
    ['JOB', 'QUEUE', 'STATE', 'ATTEMPTS', 'ACCEPTED', 'ERROR'],
    views.map((view) => [
      view.job_id,
      view.queue,
      view.state,
      String(view.attempts),
      view.created_at,
      view.error?.code ?? '',
    ]),
  );
}

async function cancel(id: string, clients: CliClients, { output }: CliContext): Promise<void> {
  const cancelled = await cancelJob(id, clients);
  if (cancelled.length === 0) {
    const record = await clients.ledger.read(id);
    throw new CommandFailed(record ? `The job ${id} is ${record.state} already.` : `There is no job ${id}.`);
  }
  writeJson(output, { cancelled });
}

function stateArgument(value: string): State {
  const state = states.find((known) => known === value);
  if (!state) throw new InvalidArgumentError(`the states are: ${states.join(', ')}.`);
  return state;
}
