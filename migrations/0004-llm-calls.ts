import { sql, type Kysely } from 'kysely';

export const creates = {
  llm_calls: [
    'job_id',
    'step',
    'ask',
    'queue',
    'provider',
    'model',
    'state',
    'holder',
    'leased_until',
    'request_hash',
    'answer',
    'error_code',
    'input_tokens',
    'output_tokens',
    'cache_read_tokens',
    'cache_write_tokens',
    'cost_usd',
    'latency_ms',
    'started_at',
    'finished_at',
  ],
};

const name = (length: number) =>
  sql`varchar(${sql.raw(String(length))}) character set ascii collate ascii_bin`;
const instant = sql`datetime(3)`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('llm_calls')
    .ifNotExists()
    .addColumn('job_id', sql`char(36) character set ascii collate ascii_bin`, (column) => column.notNull())
    .addColumn('step', name(64), (column) => column.notNull())
    .addColumn('ask', 'integer', (column) => column.notNull())
    .addColumn('queue', name(64), (column) => column.notNull())
    .addColumn('provider', name(32), (column) => column.notNull())
    .addColumn('model', name(255), (column) => column.notNull())
    .addColumn('state', name(16), (column) => column.notNull())
    .addColumn('holder', name(64), (column) => column.notNull())
    .addColumn('leased_until', instant, (column) => column.notNull())
    .addColumn('request_hash', sql`char(64) character set ascii collate ascii_bin`, (column) =>
      column.notNull(),
    )
    .addColumn('answer', sql`longtext character set utf8mb4`)
    .addColumn('error_code', name(64))
    .addColumn('input_tokens', 'integer')
    .addColumn('output_tokens', 'integer')
    .addColumn('cache_read_tokens', 'integer')
    .addColumn('cache_write_tokens', 'integer')
    .addColumn('cost_usd', sql`decimal(18, 9)`)
    .addColumn('latency_ms', 'integer')
    .addColumn('started_at', instant, (column) => column.notNull())
    .addColumn('finished_at', instant)
    .addPrimaryKeyConstraint('llm_calls_primary', ['job_id', 'step', 'ask'])
    // A month's spend, and what is old enough to be purged.
    .addIndex('llm_calls_started_at', ['started_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('llm_calls').ifExists().execute();
}
