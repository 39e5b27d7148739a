import { sql, type Kysely } from 'kysely';

export const creates = {
  lead_shadow_scores: [
    'job_id',
    'lead_id',
    'model_id',
    'champion_version',
    'challenger_version',
    'champion_probability',
    'challenger_probability',
    'scored_at',
  ],
};

const ascii = (type: string) => sql`${sql.raw(type)} character set ascii collate ascii_bin`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('lead_shadow_scores')
    .ifNotExists()
    .addColumn('job_id', ascii('char(36)'), (column) => column.notNull())
    .addColumn('lead_id', sql`varchar(128) character set utf8mb4 collate utf8mb4_bin`, (column) =>
      column.notNull(),
    )
    .addColumn('model_id', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('champion_version', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('challenger_version', ascii('varchar(64)'), (column) => column.notNull())
    .addColumn('champion_probability', sql`double`)
    .addColumn('challenger_probability', sql`double`)
    .addColumn('scored_at', sql`datetime(3)`, (column) => column.notNull())
    // Written again, a row stays as it is. It begins with the job, whose id begins with the time: so the latest rows are
    // found, and those that are old enough to be purged.
    .addPrimaryKeyConstraint('lead_shadow_scores_primary', ['job_id', 'lead_id', 'challenger_version'])
    // What was said of a lead before its outcome, and everything of a lead that is to be forgotten.
    .addIndex('lead_shadow_scores_lead', ['lead_id', 'scored_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('lead_shadow_scores').ifExists().execute();
}
