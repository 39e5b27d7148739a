import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { patternInJson } from './pattern-in-json.ts';

/** Rows that one statement looks through: each may hold megabytes. */
const pageSize = 200;

/**
 * The ids of all jobs whose payload or result holds the text, as it stands in JSON, the oldest first. Looks through
 * the whole ledger, a page at a time and without locks.
 */
export async function* mentioningJobs(db: Kysely<Tables>, text: string): AsyncGenerator<string> {
  const pattern = patternInJson(text);
  for (let after = ''; ;) {
    const last = await db
      .selectFrom('jobs')
      .select('id')
      .where('id', '>', after)
      .orderBy('id')
      .limit(1)
      .offset(pageSize - 1)
      .executeTakeFirst();
    let page = db
      .selectFrom('jobs')
      .select('id')
      .where('id', '>', after)
      .where((row) => row.or([row('payload', 'like', pattern), row('result', 'like', pattern)]))
      .orderBy('id');
    if (last) page = page.where('id', '<=', last.id);
    for (const { id } of await page.execute()) yield id;
    if (!last) return;
    after = last.id;
  }
}
