import fc from 'fast-check';
import { sql } from 'kysely';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase({ migrate: false });
  database = openDatabase(testDatabase.settings);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

/** What the server understands when it is given these texts. */
async function readBack(one: string, other: string): Promise<unknown> {
  const { rows } = await sql`select ${one} as one, ${other} as other`.execute(database.db);
  return rows;
}

test('a text of any length and content arrives as it is', async () => {
  const part = fc.oneof(
    fc.constantFrom("'", '"', '\\', "\\'", "'; select 1; -- ", '?', '??', '$&', "$'", '%', '_', '/*', '\0'),
    fc.constantFrom('\u{1a}', '\n', '\r', '\t', '\b', '🎉', 'ä', '\u{ffff}'),
    fc.string({ unit: 'binary' }),
  );
  const text = fc
    .tuple(fc.array(part), fc.constantFrom(0, 990, 1_000, 20_000))
    .map(([parts, characters]) => `${parts.join('')}${'x'.repeat(characters)}${parts.join('')}`);
  await fc.assert(
    fc.asyncProperty(text, text, async (one, other) => {
      expect(await readBack(one, other)).toEqual([{ one, other }]);
    }),
    { examples: [['\\'.repeat(999), '\\'.repeat(1_001)]] },
  );
});

test('half a character arrives as the sign for one that is unknown, in a long text too', async () => {
  const long = 'x'.repeat(1_000);
  expect(await readBack('a\u{d800}', `${long}\u{d800}`)).toEqual([
    { one: 'a\u{fffd}', other: `${long}\u{fffd}` },
  ]);
});
