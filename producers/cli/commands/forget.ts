import { InvalidArgumentError, type Command } from 'commander';
import { awsSettings } from '../../../shared/config/aws-settings.ts';
import { dynamodbSettings } from '../../../shared/config/dynamodb-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { cacheRedisSettings } from '../../../shared/config/redis-settings.ts';
import { allQueues } from '../../../shared/contracts/all-queues.ts';
import type { InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import { isLeadId, leadIdRule } from '../../../shared/leads/lead-id.ts';
import { connectRedis, type RedisConnection } from '../../../shared/queue/connect-redis.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { wholeNumberArgument } from '../arguments.ts';
import { withClients, writeJson, type CliClients, type CliContext } from '../cli-context.ts';
import { forgetPerson } from '../forget/forget-person.ts';
import { personWithLeadId } from '../forget/person-with-lead-id.ts';
import { personWithPhone } from '../forget/person-with-phone.ts';
import { personWithUserId } from '../forget/person-with-user-id.ts';
import type { Person } from '../forget/person.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';

interface ForgetFlags {
  phone?: string;
  user?: string;
  lead?: string;
  wait: number;
}

const defaultWaitMs = 60_000;
const redisWaitMs = 3_000;
const nothingDone = 'Nothing has been forgotten.';
const someDone = 'What has been forgotten stays so; run it again for the rest.';

export function addForgetCommand(program: Command, context: CliContext): void {
  program
    .command('forget')
    .description(
      'remove a person from jobs, predictions, insights, activity, leads and their scores, outcomes, pages, caches and ' +
        'the journal of paid calls; exit 0 means that nothing is left',
    )
    .option('--phone <number>', 'whose phone number this is, in E.164 form', phoneArgument)
    .option('--user <id>', 'whose user id this is, as alerts write it', userArgument)
    .option('--lead <id>', 'whose id this is as a lead', leadArgument)
    .option(
      '--wait <ms>',
      'how long to wait for jobs that workers have in hand',
      wholeNumberArgument(0, 86_400_000),
      defaultWaitMs,
    )
    .option('--json', 'print one JSON document (the default)')
    .action((flags: ForgetFlags) => forget(flags, context));
}

async function forget(flags: ForgetFlags, context: CliContext): Promise<void> {
  const person = personOf(flags);
  const settings = readSettings(
    { cacheRedis: cacheRedisSettings, dynamodb: dynamodbSettings, aws: awsSettings },
    context.environment,
  );
  await withClients(context, async (clients) => {
    await using resources = new AsyncDisposableStack();
    const log = createLogger({ process: 'cli', level: 'error' });
    const cache = settings.cacheRedis
      ? resources.use(connectRedis(settings.cacheRedis, 'cache', log))
      : clients.redis;
    await requireRedis(clients, cache, nothingDone);
    let insights: InsightTable | undefined;
    if (flags.user !== undefined && settings.dynamodb.isConfigured) {
      // The vendor's library takes a while to load, so only who uses it waits for that.
      const { openInsightTable } = await import('../../../shared/dynamodb/insight-table.ts');
      insights = resources.use(openInsightTable({ ...settings.dynamodb, ...settings.aws }, log));
      await insights.list(flags.user, { limit: 1 }).catch(failWith(nothingDone));
    } else if (flags.user !== undefined) {
      context.messages.write(
        'DynamoDB is not configured, so no insight was looked for: set AWS_ENDPOINT_URL_DYNAMODB, DYNAMODB=aws or ' +
          'DYNAMODB_TABLE_NAME.\n',
      );
    }
    const forgotten = await forgetPerson(person, flags.wait, {
      ...clients,
      db: clients.database.db,
      cache,
      insights,
      queues: allQueues.map(({ name }) => name),
    }).catch(async (error: unknown) => {
      await requireRedis(clients, cache, someDone, error);
      return failWith(someDone)(error);
    });
    writeJson(context.output, forgotten);
    if (forgotten.running.length > 0) {
      throw new CommandFailed(
        'Workers still have jobs of this person in hand (see running): run it again when they are done.',
      );
    }
  });
}

function personOf({ phone, user, lead }: ForgetFlags): Person {
  if ([phone, user, lead].filter((id) => id !== undefined).length > 1) {
    throw new UsageError('One at a time: --phone, --user or --lead.');
  }
  if (phone !== undefined) return personWithPhone(phone);
  if (user !== undefined) return personWithUserId(user);
  if (lead !== undefined) return personWithLeadId(lead);
  throw new UsageError('Say who: --phone, with the number in E.164 form, or --user or --lead, with the id.');
}

/** Says what a failure of a store leaves behind; every other failure stays as it is. */
function failWith(consequence: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof JobError)) throw error;
    throw new CommandFailed(`${error.message}. ${consequence}`, { cause: error });
  };
}

async function requireRedis(
  { redis }: CliClients,
  cache: RedisConnection,
  consequence: string,
  cause?: unknown,
): Promise<void> {
  for (const [name, connection] of [
    ['Redis', redis],
    ['The Redis of the caches', cache],
  ] as const) {
    await connection.untilReady(redisWaitMs);
    if (!(await connection.isUp())) {
      throw new CommandFailed(`${name} does not answer. ${consequence}`, { cause });
    }
  }
}

function phoneArgument(value: string): string {
  if (!/^\+[1-9]\d{1,14}$/.test(value)) {
    throw new InvalidArgumentError(
      'must be in E.164 form: a plus sign, then up to 15 digits, no separators.',
    );
  }
  return value;
}

function userArgument(value: string): string {
  if (value.trim() === '' || value.length > 256 || !value.isWellFormed()) {
    throw new InvalidArgumentError('must be 1 to 256 characters, not only spaces.');
  }
  return value;
}

function leadArgument(value: string): string {
  if (!isLeadId(value)) throw new InvalidArgumentError(`${leadIdRule}.`);
  return value;
}
