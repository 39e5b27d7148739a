import { InvalidArgumentError, type Command } from 'commander';
import { allQueues } from '../../../shared/contracts/all-queues.ts';
import type { QueueContract } from '../../../shared/contracts/define-queue.ts';
import { PayloadError, type EnqueueOptions } from '../../../shared/queue/enqueue.ts';
import { withClients, writeJson, type CliClients, type CliContext } from '../cli-context.ts';
import { bulkOfLeads } from '../leads/bulk-of-leads.ts';
import { readPayload } from '../read-payload.ts';
import { followJob } from '../show-progress.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';
import { wholeNumberArgument } from '../arguments.ts';

const defaultWaitMs = 60_000;

interface EnqueueFlags {
  idempotencyKey?: string;
  file?: string;
  json?: string;
  wait?: string | true;
  priority?: number;
  delay?: number;
}

export function addEnqueueCommand(program: Command, context: CliContext): void {
  program
    .command('enqueue')
    .description('put a job into a queue; exit 0 means that it is committed and will be done')
    .argument('<queue>', `one of: ${allQueues.map(({ name }) => name).join(', ')}`)
    .argument('[input]', '- reads the payload from standard input')
    .option(
      '--file <path>',
      'payload from a JSON file; for call-time-prediction also a CSV (id,phoneNumber,timezone,…), for lead-scoring ' +
        'ids, one a line, or a CSV with a column lead_id; more than 2,000 are scored in chunks',
    )
    .option('--json <text>', 'payload as JSON text')
    .option('--wait [ms]', `wait for the result and print it (${defaultWaitMs} ms when no time is given)`)
    .option('--idempotency-key <key>', 'sending the same again within 24 hours answers the first job')
    .option('--priority <number>', '0 is served first', wholeNumberArgument(0, 2_097_152))
    .option('--delay <ms>', 'start it no sooner than this', wholeNumberArgument(0, 31_536_000_000))
    .action(async (queue: string, input: string | undefined, flags: EnqueueFlags) => {
      await enqueue(queue, input, flags, context);
    });
}

async function enqueue(
  queue: string,
  input: string | undefined,
  flags: EnqueueFlags,
  context: CliContext,
): Promise<void> {
  const contract = allQueues.find(({ name }) => name === queue);
  if (!contract) {
    throw new UsageError(
      `There is no queue ${queue}. The queues are: ${allQueues.map(({ name }) => name).join(', ')}.`,
    );
  }
  // `--wait -`: the dash is the input, not a time.
  const dash = input === '-' || flags.wait === '-';
  if (input !== undefined && input !== '-')
    throw new UsageError(`Unknown input ${input}; only - is known here.`);
  const waitMs = waitTime(flags.wait);
  const payload = await readPayload(
    queue,
    {
      ...(flags.file === undefined ? {} : { file: flags.file }),
      ...(flags.json === undefined ? {} : { json: flags.json }),
      standardInput: dash,
    },
    context,
  );

  await withClients(context, async (clients) => {
    await clients.queueLimit.assertRoom(queue);
    const jobId = await accept(
      contract,
      payload,
      flags,
      waitMs === undefined ? {} : { replyTo: clients.results.name },
      clients,
    );
    if (waitMs === undefined) {
      writeJson(context.output, { job_id: jobId, queue, state: 'accepted' });
      return;
    }
    const view = await followJob(jobId, waitMs, clients, context);
    if (view?.state === 'completed') {
      writeJson(context.output, view.result);
    } else if (view?.error && view.state !== 'accepted' && view.state !== 'running') {
      throw new CommandFailed(`The job ${jobId} ${view.state}: ${view.error.code}: ${view.error.message}.`);
    } else {
      throw new CommandFailed(
        `The job ${jobId} is not done after ${waitMs} ms. It goes on: presage jobs watch ${jobId}`,
      );
    }
  });
}

async function accept(
  contract: QueueContract,
  payload: unknown,
  flags: EnqueueFlags,
  reply: Pick<EnqueueOptions, 'replyTo'>,
  { enqueue: accepting }: CliClients,
): Promise<string> {
  const options: EnqueueOptions = {
    ...reply,
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.delay === undefined ? {} : { delayMs: flags.delay }),
  };
  const { idempotencyKey } = flags;
  const key =
    idempotencyKey === undefined ? undefined : { scope: 'cli', key: idempotencyKey, answerWithinMs: 0 };
  try {
    const bulk = await bulkOfLeads(contract.name, payload);
    if (bulk) {
      const claim = key && { ...key, bodyHash: bulk.bodyHash };
      const outcome = await accepting.enqueueBulk(contract, bulk, options, claim);
      if (outcome.kind === 'first' || outcome.kind === 'replay') return outcome.jobId;
    } else if (key === undefined) {
      return (await accepting.enqueue(contract, payload, options)).id;
    } else {
      const outcome = await accepting.enqueueIdempotently(contract, payload, key, options);
      if (outcome.kind === 'first') return outcome.job.id;
      if (outcome.kind === 'replay') return outcome.jobId;
    }
    throw new CommandFailed(`The idempotency key ${flags.idempotencyKey} was used with another payload.`);
  } catch (error) {
    throw error instanceof PayloadError ? new CommandFailed(describeIssues(error)) : error;
  }
}

function waitTime(wait: string | true | undefined): number | undefined {
  if (wait === undefined) return undefined;
  if (wait === true || wait === '-') return defaultWaitMs;
  try {
    return wholeNumberArgument(1, 86_400_000)(wait);
  } catch (error) {
    throw error instanceof InvalidArgumentError ? new UsageError(`--wait ${wait}: ${error.message}`) : error;
  }
}

function describeIssues({ message, issues }: PayloadError): string {
  const lines = issues
    .slice(0, 20)
    .map((issue) => `  ${issue.path.join('.') || 'payload'}: ${issue.message}`);
  if (issues.length > lines.length) lines.push(`  and ${issues.length - lines.length} more`);
  return [`${message}:`, ...lines].join('\n');
}
