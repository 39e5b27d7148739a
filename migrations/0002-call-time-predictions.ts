import { sql, type Kysely } from 'kysely';

/** Tables that this migration makes, with their columns: one that exists and lacks any of them is refused. */
export const creates = {
  call_time_predictions: [
    'job_id',
    'position',
    'contact_id',
    'phone_number',
    'timezone',
    'preferred_days',
    'hour_start',
    'hour_end',
    'confidence',
    'source',
    'window_start',
    'window_end',
    'predicted_at',
  ],
};

const ascii = (type: string) => sql`${sql.raw(type)} character set ascii collate ascii_bin`;
const instant = sql`datetime(3)`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('call_time_predictions')
    .ifNotExists()
    .addColumn('job_id', ascii('char(36)'), (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('contact_id', sql`varchar(256) character set utf8mb4 collate utf8mb4_bin`, (column) =>
      column.notNull(),
    )
    .addColumn('phone_number', ascii('varchar(16)'), (column) => column.notNull())
    .addColumn('timezone', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('preferred_days', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('hour_start', sql`tinyint`, (column) => column.notNull())
    .addColumn('hour_end', sql`tinyint`, (column) => column.notNull())
    .addColumn('confidence', sql`double`, (column) => column.notNull())
    .addColumn('source', ascii('varchar(16)'), (column) => column.notNull())
    .addColumn('window_start', instant, (column) => column.notNull())
    .addColumn('window_end', instant, (column) => column.notNull())
    .addColumn('predicted_at', instant, (column) => column.notNull())
    // One row per contact of a job: written again, it stays as it is.
    .addPrimaryKeyConstraint('call_time_predictions_primary', ['job_id', 'position'])
    // "The latest prediction of this phone", and everything of a phone that is to be forgotten.
    .addIndex('call_time_predictions_phone', ['phone_number', 'predicted_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('call_time_predictions').ifExists().execute();
}
