import { sql, type Kysely } from 'kysely';

export const creates = {
  leads: ['lead_id', 'features', 'updated_at'],
  lead_scores: [
    'job_id',
    'lead_id',
    'position',
    'probability',
    'confidence',
    'feature_coverage',
    'degraded',
    'error_code',
    'error_message',
    'model_id',
    'model_version',
    'scored_at',
  ],
  ai_events: [
    'job_id',
    'request_id',
    'model_id',
    'model_version',
    'model_sha256',
    'leads',
    'errors',
    'cache_hits',
    'cache_misses',
    'latency_ms',
    'feature_coverage',
    'error_code',
    'created_at',
  ],
};

const ascii = (type: string) => sql`${sql.raw(type)} character set ascii collate ascii_bin`;
const leadId = sql`varchar(128) character set utf8mb4 collate utf8mb4_bin`;
const instant = sql`datetime(3)`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('leads')
    .ifNotExists()
    .addColumn('lead_id', leadId, (column) => column.primaryKey())
    .addColumn('features', sql`longtext character set utf8mb4`, (column) => column.notNull())
    .addColumn('updated_at', instant, (column) => column.notNull())
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  await db.schema
    .createTable('lead_scores')
    .ifNotExists()
    .addColumn('job_id', ascii('char(36)'), (column) => column.notNull())
    .addColumn('lead_id', leadId, (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('probability', sql`double`)
    .addColumn('confidence', sql`double`)
    .addColumn('feature_coverage', sql`double`)
    .addColumn('degraded', sql`boolean`, (column) => column.notNull())
    .addColumn('error_code', ascii('varchar(32)'))
    .addColumn('error_message', sql`text character set utf8mb4`)
    .addColumn('model_id', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('model_version', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('scored_at', instant, (column) => column.notNull())
    // One row for each lead of a request: written again, it stays as it is.
    .addPrimaryKeyConstraint('lead_scores_primary', ['job_id', 'lead_id'])
    // "The latest score of this lead", and everything of a lead that is to be forgotten.
    .addIndex('lead_scores_lead', ['lead_id', 'scored_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  await db.schema
    .createTable('ai_events')
    .ifNotExists()
    .addColumn('job_id', ascii('char(36)'), (column) => column.primaryKey())
    .addColumn('request_id', ascii('varchar(128)'))
    .addColumn('model_id', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('model_version', ascii('varchar(64)'))
    .addColumn('model_sha256', ascii('char(64)'))
    .addColumn('leads', 'integer', (column) => column.notNull())
    .addColumn('errors', 'integer', (column) => column.notNull())
    .addColumn('cache_hits', 'integer', (column) => column.notNull())
    .addColumn('cache_misses', 'integer', (column) => column.notNull())
    .addColumn('latency_ms', 'integer', (column) => column.notNull())
    .addColumn('feature_coverage', sql`double`)
    .addColumn('error_code', ascii('varchar(64)'))
    .addColumn('created_at', instant, (column) => column.notNull())
    // What happened lately, and what is old enough to be purged.
    .addIndex('ai_events_created_at', ['created_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  // Last, and looked for first: it cannot be repeated when what comes after it was interrupted.
  const { rows } = await sql`
    select 1 from information_schema.statistics
    where table_schema = database() and table_name = 'outcomes' and index_name = 'outcomes_kind_time'`.execute(
    db,
  );
  if (rows.length === 0) {
    // What became of leads lately.
    await db.schema
      .createIndex('outcomes_kind_time')
      .on('outcomes')
      .columns(['kind', 'occurred_at'])
      .execute();
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('outcomes_kind_time').on('outcomes').execute();
  await db.schema.dropTable('ai_events').ifExists().execute();
  await db.schema.dropTable('lead_scores').ifExists().execute();
  await db.schema.dropTable('leads').ifExists().execute();
}
