import { sql, type Kysely } from 'kysely';

/** Tables that this migration makes, with their columns: one that exists and lacks any of them is refused. */
export const creates = {
  jobs: [
    'id',
    'queue',
    'state',
    'phase',
    'generation',
    'payload',
    'result',
    'error',
    'attempts',
    'priority',
    'parent_id',
    'child_position',
    'unique_key',
    'request_id',
    'traceparent',
    'settled_by',
    'created_at',
    'due_at',
    'check_at',
    'finished_at',
  ],
};

const id = sql`char(36) character set ascii collate ascii_bin`;
const name = (length: number) =>
  sql`varchar(${sql.raw(String(length))}) character set ascii collate ascii_bin`;
const instant = sql`datetime(3)`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .ifNotExists()
    .addColumn('id', id, (column) => column.primaryKey())
    .addColumn('queue', name(64), (column) => column.notNull())
    .addColumn('state', name(16), (column) => column.notNull().defaultTo('accepted'))
    .addColumn('phase', name(16), (column) => column.notNull().defaultTo('start'))
    .addColumn('generation', 'integer', (column) => column.notNull().defaultTo(1))
    .addColumn('payload', sql`longtext character set utf8mb4`, (column) => column.notNull())
    .addColumn('result', sql`longtext character set utf8mb4`)
    .addColumn('error', sql`text character set utf8mb4`)
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('parent_id', id)
    .addColumn('child_position', 'integer')
    .addColumn('unique_key', sql`varchar(255) character set utf8mb4 collate utf8mb4_bin`)
    .addColumn('request_id', name(128))
    .addColumn('traceparent', name(64))
    .addColumn('settled_by', name(64))
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('due_at', instant, (column) => column.notNull())
    .addColumn('check_at', instant)
    .addColumn('finished_at', instant)
    // Open rows of a queue in id order (full comparison, listings); InnoDB appends the primary key.
    .addIndex('jobs_queue_state', ['queue', 'state'])
    // Only open rows have a check_at: what the relay looks at next.
    .addIndex('jobs_check_at', ['check_at'])
    // "Has this parent an open child?" in one look.
    .addIndex('jobs_parent_state', ['parent_id', 'state'])
    .addUniqueConstraint('jobs_unique_key', ['unique_key'])
    .modifyEnd(sql`engine=InnoDB default character set utf8mb4`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('jobs').ifExists().execute();
}
