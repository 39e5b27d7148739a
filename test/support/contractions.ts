import { sql, type Kysely } from 'kysely';

/** A schema as the server describes it: by table, what each of its columns and indexes is. */
export type Schema = Map<string, { columns: Map<string, Column>; indexes: Map<string, string> }>;

interface Column {
  /** Type, character set and what else is part of it, as one text. */
  is: string;
  /** Whether a row may be inserted that says nothing of it. */
  mayBeLeftOut: boolean;
}

export async function readSchema(db: Kysely<unknown>): Promise<Schema> {
  const schema: Schema = new Map();
  const tableOf = (name: string) => {
    const table = schema.get(name) ?? {
      columns: new Map<string, Column>(),
      indexes: new Map<string, string>(),
    };
    schema.set(name, table);
    return table;
  };
  const columns = await sql<Record<string, string | null>>`
    select table_name as in_table, column_name as name, column_type as type, is_nullable as nullable,
      column_default as value, collation_name as collation, extra as extra
    from information_schema.columns where table_schema = database()`.execute(db);
  for (const { in_table: table, name, type, nullable, value, collation, extra } of columns.rows) {
    const mayBeLeftOut = nullable === 'YES' || value !== null || extra?.includes('auto_increment') === true;
    const is = `${type} ${nullable === 'YES' ? 'null' : 'not null'} default ${value} ${collation} ${extra}`;
    tableOf(table ?? '').columns.set(name ?? '', { is, mayBeLeftOut });
  }
  const indexes = await sql<Record<string, string | number | null>>`
    select table_name as in_table, index_name as name, min(non_unique) as loose,
      group_concat(column_name, ':', coalesce(sub_part, '') order by seq_in_index) as columns
    from information_schema.statistics where table_schema = database() group by 1, 2`.execute(db);
  for (const { in_table: table, name, loose, columns: of } of indexes.rows) {
    tableOf(String(table)).indexes.set(String(name), `${Number(loose) === 0 ? 'unique ' : ''}(${of})`);
  }
  return schema;
}

/** What has become of the tables of a schema that processes of the version before would not expect. */
export function contractions(before: Schema, after: Schema): string[] {
  return [...before].flatMap(([name, old]) => {
    const table = after.get(name);
    if (!table) return [`the table ${name} is gone`];
    const found: string[] = [];
    for (const [column, { is }] of old.columns) {
      const present = table.columns.get(column)?.is;
      if (present !== is) found.push(`${name}.${column} was ${is}, is ${present ?? 'gone'}`);
    }
    for (const [column, { is, mayBeLeftOut }] of table.columns) {
      if (!old.columns.has(column) && !mayBeLeftOut)
        found.push(`${name}.${column} is new, and needed: ${is}`);
    }
    for (const [index, of] of old.indexes) {
      const present = table.indexes.get(index);
      if (present !== of) found.push(`the index ${index} of ${name} was ${of}, is ${present ?? 'gone'}`);
    }
    for (const [index, of] of table.indexes) {
      if (!old.indexes.has(index) && of.startsWith('unique')) {
        found.push(`the index ${index} of ${name} is new, and ${of}`);
      }
    }
    return found;
  });
}

/** Statements that make everybody wait who writes to one of the tables, or that may do so. */
export function blockingStatements(statements: readonly string[], tables: Iterable<string>): string[] {
  const names = [...tables].join('|');
  const changesOne = new RegExp(
    `^\\s*(alter table|create (unique )?index .* on|drop index .* on|rename table|update|delete from|replace into|insert (ignore )?into) \`?(${names})\\b`,
    'is',
  );
  const letsOthersWrite = /algorithm\s*=\s*instant|algorithm\s*=\s*inplace\s*,?\s*lock\s*=\s*none/i;
  return statements.filter((statement) => changesOne.test(statement) && !letsOthersWrite.test(statement));
}
