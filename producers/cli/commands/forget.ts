import { InvalidArgumentError, Option, type Command } from 'commander';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { cacheRedisSettings } from '../../../shared/config/redis-settings.ts';
import { allQueues } from '../../../shared/contracts/all-queues.ts';
import { connectRedis, type RedisConnection } from '../../../shared/queue/connect-redis.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { wholeNumberArgument } from '../arguments.ts';
import { withClients, writeJson, type CliClients, type CliContext } from '../cli-context.ts';
import { forgetPhone } from '../forget/forget-phone.ts';
import { CommandFailed, UsageError } from '../usage-error.ts';

interface ForgetFlags {
  phone?: string;
  user?: string;
  lead?: string;
  wait: number;
}

const defaultWaitMs = 60_000;
const redisWaitMs = 3_000;

export function addForgetCommand(program: Command, context: CliContext): void {
  program
    .command('forget')
    .description('remove a person from jobs, predictions and caches; exit 0 means that nothing is left')
    .option('--phone <number>', 'whose phone number this is, in E.164 form', phoneArgument)
    .option(
      '--wait <ms>',
      'how long to wait for jobs that workers have in hand',
      wholeNumberArgument(0, 86_400_000),
      defaultWaitMs,
    )
    .option('--json', 'print one JSON document (the default)')
    .addOption(new Option('--user <id>').hideHelp())
    .addOption(new Option('--lead <id>').hideHelp())
    .action((flags: ForgetFlags) => forget(flags, context));
}

async function forget({ phone, user, lead, wait }: ForgetFlags, context: CliContext): Promise<void> {
  if (user !== undefined || lead !== undefined) {
    throw new UsageError('Nothing is stored by user or by lead yet; give --phone.');
  }
  if (phone === undefined) throw new UsageError('Say who: --phone, with the number in E.164 form.');
  const { cacheRedis } = readSettings({ cacheRedis: cacheRedisSettings }, context.environment);
  await withClients(context, async (clients) => {
    await using resources = new AsyncDisposableStack();
    const cache = cacheRedis
      ? resources.use(connectRedis(cacheRedis, 'cache', createLogger({ process: 'cli', level: 'error' })))
      : clients.redis;
    await requireRedis(clients, cache, 'Nothing has been forgotten.');
    const forgotten = await forgetPhone(phone, wait, {
      ...clients,
      db: clients.database.db,
      redis: clients.redis.client,
      cache: cache.client,
      queues: allQueues.map(({ name }) => name),
    }).catch(async (error: unknown) => {
      await requireRedis(
        clients,
        cache,
        'What has been forgotten stays so; run it again for the rest.',
        error,
      );
      throw error;
    });
    writeJson(context.output, forgotten);
    if (forgotten.running.length > 0) {
      throw new CommandFailed(
        'Workers still have jobs with this number in hand (see running): run it again when they are done.',
      );
    }
  });
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
