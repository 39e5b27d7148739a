import { sql, type Kysely } from 'kysely';

export const creates = {
  activity_log: ['id', 'event_id', 'user_id', 'activity_type', 'occurred_at', 'timezone', 'metadata'],
  outcomes: ['id', 'event_id', 'kind', 'subject', 'page_key', 'job_id', 'happened', 'occurred_at'],
};

const ascii = (type: string) => sql`${sql.raw(type)} character set ascii collate ascii_bin`;
const text = (length: number) =>
  sql`varchar(${sql.raw(String(length))}) character set utf8mb4 collate utf8mb4_bin`;
const instant = sql`datetime(3)`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('activity_log')
    .ifNotExists()
    .addColumn('id', sql`bigint unsigned`, (column) => column.autoIncrement().primaryKey())
    // Other systems may write rows too: who, what and when are enough.
    .addColumn('event_id', ascii('varchar(128)'))
    .addColumn('user_id', text(128), (column) => column.notNull())
    .addColumn('activity_type', text(128), (column) => column.notNull())
    .addColumn('occurred_at', instant, (column) => column.notNull())
    .addColumn('timezone', ascii('varchar(64)'))
    .addColumn('metadata', sql`longtext character set utf8mb4`)
    .addUniqueConstraint('activity_log_event', ['event_id'])
    // A user's days in the order of time, without looking at the rows; and each user's newest activity.
    .addIndex('activity_log_user_time', ['user_id', 'occurred_at', 'activity_type', 'timezone'])
    // Each user's newest row: what came in late counts as new too.
    .addIndex('activity_log_user_id', ['user_id', 'id'])
    // What is old enough to be purged.
    .addIndex('activity_log_occurred_at', ['occurred_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();

  await db.schema
    .createTable('outcomes')
    .ifNotExists()
    .addColumn('id', sql`bigint unsigned`, (column) => column.autoIncrement().primaryKey())
    .addColumn('event_id', ascii('varchar(128)'), (column) => column.notNull())
    .addColumn('kind', ascii('varchar(32)'), (column) => column.notNull())
    .addColumn('subject', text(256), (column) => column.notNull())
    .addColumn('page_key', text(128))
    .addColumn('job_id', ascii('char(36)'))
    .addColumn('happened', sql`boolean`, (column) => column.notNull())
    .addColumn('occurred_at', instant, (column) => column.notNull())
    .addUniqueConstraint('outcomes_event', ['event_id'])
    // What became of the one that a prediction is about, in the order of time.
    .addIndex('outcomes_subject', ['subject', 'kind', 'occurred_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('outcomes').ifExists().execute();
  await db.schema.dropTable('activity_log').ifExists().execute();
}
