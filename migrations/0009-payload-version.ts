import { sql, type Kysely } from 'kysely';

export const creates = {};

export async function up(db: Kysely<unknown>): Promise<void> {
  // Looked for first: it cannot be repeated.
  const { rows } = await sql`
    select 1 from information_schema.columns
    where table_schema = database() and table_name = 'jobs' and column_name = 'payload_version'`.execute(db);
  if (rows.length > 0) return;
  // In which version of its queue's contract a payload was written. Processes that do not know of it write version 1.
  await sql`
    alter table jobs add column payload_version smallint not null default 1, algorithm = instant`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs drop column payload_version`.execute(db);
}
