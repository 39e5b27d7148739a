import { sql, type Kysely } from 'kysely';

export const creates = {
  activity_looks: ['user_id', 'looked_to_id', 'job_id', 'looked_at'],
  populations: ['id', 'population', 'users', 'learnt_at'],
  generation_queue: [
    'id',
    'user_id',
    'page_key',
    'pattern',
    'confidence',
    'claimed_confidence',
    'reason',
    'proposed_by',
    'hits',
    'occasions',
    'timezone',
    'status',
    'window_start',
    'window_end',
    'detection_job_id',
    'job_id',
    'came_true',
    'scored_at',
    'created_at',
  ],
  page_cache: [
    'user_id',
    'page_key',
    'content',
    'expires_at',
    'window_start',
    'generation_id',
    'model_used',
    'degraded',
    'created_at',
  ],
};

const ascii = (type: string) => sql`${sql.raw(type)} character set ascii collate ascii_bin`;
const text = (length: number) =>
  sql`varchar(${sql.raw(String(length))}) character set utf8mb4 collate utf8mb4_bin`;
const longText = sql`longtext character set utf8mb4`;
const instant = sql`datetime(3)`;
const now = sql`current_timestamp(3)`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('activity_looks')
    .ifNotExists()
    .addColumn('user_id', text(128), (column) => column.primaryKey())
    .addColumn('looked_to_id', sql`bigint unsigned`, (column) => column.notNull())
    .addColumn('job_id', ascii('char(36)'), (column) => column.notNull())
    .addColumn('looked_at', instant, (column) => column.notNull())
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  await db.schema
    .createTable('populations')
    .ifNotExists()
    .addColumn('id', sql`bigint unsigned`, (column) => column.autoIncrement().primaryKey())
    .addColumn('population', longText, (column) => column.notNull())
    .addColumn('users', 'integer', (column) => column.notNull())
    .addColumn('learnt_at', instant, (column) => column.notNull())
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  await db.schema
    .createTable('generation_queue')
    .ifNotExists()
    .addColumn('id', sql`bigint unsigned`, (column) => column.autoIncrement().primaryKey())
    .addColumn('user_id', text(128), (column) => column.notNull())
    .addColumn('page_key', text(128), (column) => column.notNull())
    .addColumn('pattern', longText, (column) => column.notNull())
    .addColumn('confidence', sql`double`, (column) => column.notNull())
    .addColumn('claimed_confidence', sql`double`)
    .addColumn('reason', sql`text character set utf8mb4`)
    .addColumn('proposed_by', ascii('varchar(255)'))
    .addColumn('hits', 'integer')
    .addColumn('occasions', 'integer')
    .addColumn('timezone', ascii('varchar(64)'))
    .addColumn('status', ascii('varchar(16)'), (column) => column.notNull().defaultTo('pending'))
    .addColumn('window_start', instant, (column) => column.notNull())
    .addColumn('window_end', instant, (column) => column.notNull())
    .addColumn('detection_job_id', ascii('char(36)'))
    .addColumn('job_id', ascii('char(36)'))
    .addColumn('came_true', sql`boolean`)
    .addColumn('scored_at', instant)
    .addColumn('created_at', instant, (column) => column.notNull().defaultTo(now))
    .addUniqueConstraint('generation_queue_window', ['user_id', 'page_key', 'window_start'])
    // How many rows are in each state.
    .addIndex('generation_queue_status', ['status'])
    // Which predictions are still to be scored.
    .addIndex('generation_queue_unscored', ['scored_at', 'window_end'])
    // What is old enough to be purged.
    .addIndex('generation_queue_window_end', ['window_end'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  await db.schema
    .createTable('page_cache')
    .ifNotExists()
    .addColumn('user_id', text(128), (column) => column.notNull())
    .addColumn('page_key', text(128), (column) => column.notNull())
    .addColumn('content', longText, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .addColumn('window_start', instant)
    .addColumn('generation_id', sql`bigint unsigned`)
    .addColumn('model_used', ascii('varchar(2300)'))
    .addColumn('degraded', sql`boolean`, (column) => column.notNull().defaultTo(false))
    .addColumn('created_at', instant, (column) => column.notNull().defaultTo(now))
    .addPrimaryKeyConstraint('page_cache_primary', ['user_id', 'page_key'])
    // What is old enough to be purged.
    .addIndex('page_cache_expires_at', ['expires_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  // Last, and looked for first: these cannot be repeated when what comes after them was interrupted.
  const present = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_schema = database() and table_name = 'jobs'`.execute(db);
  const names = new Set(present.rows.map(({ name }) => name));
  // Until when a job waits for its children; null: until the last one is settled.
  if (!names.has('children_until')) {
    await db.schema.alterTable('jobs').addColumn('children_until', instant).execute();
  }
  // What a job's start hands to its finish, as JSON.
  if (!names.has('interim')) await db.schema.alterTable('jobs').addColumn('interim', longText).execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['page_cache', 'generation_queue', 'populations', 'activity_looks']) {
    await db.schema.dropTable(table).ifExists().execute();
  }
  await db.schema.alterTable('jobs').dropColumn('interim').dropColumn('children_until').execute();
}
