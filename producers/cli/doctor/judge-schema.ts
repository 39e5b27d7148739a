import type { IncompleteTable, SchemaDifference } from '../../../shared/database/inspect-schema.ts';
import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('mysql');

/** What the differences between the schema and this version of the fleet mean. */
export function judgeSchema(difference: SchemaDifference): Finding[] {
  const { pending, unknown, missing, incomplete, foreign } = difference;
  const findings: Finding[] = [];
  if (pending.length > 0) {
    findings.push(
      report.fail(
        'schema',
        `migrations have not been run: ${pending.join(', ')}`,
        'Run `presage migrate up`.',
      ),
    );
  }
  if (foreign.length > 0) {
    findings.push(
      report.fail(
        'tables',
        `tables that Presage did not make are in its way: ${describe(foreign)}`,
        'Rename them, or give Presage a database of its own (DATABASE_URL or DB_NAME).',
      ),
    );
  }
  if (missing.length > 0) {
    findings.push(
      report.fail(
        'tables',
        `missing, although their migration was run: ${missing.join(', ')}`,
        'Restore them from a backup. Without one: `presage migrate down` until their migration is taken back, ' +
          'which deletes the tables of every later one too, then `presage migrate up`.',
      ),
    );
  }
  if (incomplete.length > 0) {
    findings.push(
      report.fail(
        'tables',
        `columns are missing, although their migration was run: ${describe(incomplete)}`,
        'Restore the tables from a backup.',
      ),
    );
  }
  if (unknown.length > 0) {
    findings.push(
      report.warn(
        'schema',
        `a newer version of Presage has run migrations: ${unknown.join(', ')}`,
        'Run that version here too.',
      ),
    );
  }
  return findings.length > 0 ? findings : [report.ok('schema', 'up to date')];
}

function describe(tables: readonly IncompleteTable[]): string {
  return tables.map(({ table, missing }) => `${table} (without ${missing.join(', ')})`).join('; ');
}
