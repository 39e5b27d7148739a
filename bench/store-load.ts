import { sql } from 'kysely';
import { z } from 'zod';
import { openDatabase } from '../shared/database/open-database.ts';
import { connectRedis } from '../shared/queue/connect-redis.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import type { BenchmarkEnvironment } from './benchmark-report.ts';

/** What the stores did meanwhile. */
export interface StoreLoad {
  /** Of the one processor that a Redis can use. */
  redisShare: number;
  /** Statements a second that MySQL was sent. */
  statementsPerSecond: number;
  /** UPDATE statements in all: of no-op jobs, those that settle them. */
  updates: number;
}

const statusSchema = z.array(z.object({ Variable_name: z.string(), Value: z.coerce.number() }));

/** Answers a function that measures what both stores do during an action, and hands on the action's answer. */
export function openStoreLoad(
  { redis: redisSettings, database: databaseSettings }: Pick<BenchmarkEnvironment, 'redis' | 'database'>,
  resources: AsyncDisposableStack,
): <Answer>(action: () => Promise<Answer>) => Promise<StoreLoad & { answer: Answer }> {
  const log = createLogger({ process: 'bench', level: 'error' });
  const { client } = resources.use(connectRedis(redisSettings, 'worker', log));
  const { db } = resources.use(openDatabase({ ...databaseSettings, poolSize: 1 }));

  async function counters() {
    const cpu = await client.info('cpu');
    const seconds = (name: string) => z.coerce.number().parse(new RegExp(`${name}:([\\d.]+)`).exec(cpu)?.[1]);
    const { rows } = await sql`show global status where variable_name in ('Questions', 'Com_update')`.execute(
      db,
    );
    const status = new Map(statusSchema.parse(rows).map((row) => [row.Variable_name, row.Value]));
    return {
      atMs: performance.now(),
      redisSeconds: seconds('used_cpu_user') + seconds('used_cpu_sys'),
      statements: status.get('Questions') ?? Number.NaN,
      updates: status.get('Com_update') ?? Number.NaN,
    };
  }

  return async (action) => {
    const before = await counters();
    const answer = await action();
    const after = await counters();
    const seconds = (after.atMs - before.atMs) / 1_000;
    return {
      answer,
      redisShare: (after.redisSeconds - before.redisSeconds) / seconds,
      statementsPerSecond: (after.statements - before.statements) / seconds,
      updates: after.updates - before.updates,
    };
  };
}
