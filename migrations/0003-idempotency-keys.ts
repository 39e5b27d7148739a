import { sql, type Kysely } from 'kysely';

export const creates = {
  idempotency_keys: [
    'scope',
    'queue',
    'idempotency_key',
    'body_hash',
    'job_id',
    'answer_status',
    'answer_due_at',
    'expires_at',
  ],
};

const name = (length: number) =>
  sql`varchar(${sql.raw(String(length))}) character set ascii collate ascii_bin`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('idempotency_keys')
    .ifNotExists()
    .addColumn('scope', name(64), (column) => column.notNull())
    .addColumn('queue', name(64), (column) => column.notNull())
    .addColumn('idempotency_key', sql`varchar(255) character set utf8mb4 collate utf8mb4_bin`, (column) =>
      column.notNull(),
    )
    .addColumn('body_hash', sql`char(64) character set ascii collate ascii_bin`, (column) => column.notNull())
    .addColumn('job_id', sql`char(36) character set ascii collate ascii_bin`, (column) => column.notNull())
    .addColumn('answer_status', 'smallint')
    .addColumn('answer_due_at', sql`datetime(3)`, (column) => column.notNull())
    .addColumn('expires_at', sql`datetime(3)`, (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_keys_primary', ['scope', 'queue', 'idempotency_key'])
    .addIndex('idempotency_keys_expires_at', ['expires_at'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('idempotency_keys').ifExists().execute();
}
