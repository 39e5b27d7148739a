import fc from 'fast-check';
import { splitRows } from '../../../../shared/database/split-rows.ts';

const mebi = 1024 * 1024;
const charactersOf = (row: { characters: number }) => row.characters;

test('every row once and in order; no part is empty or over a limit, but a row that is alone', () => {
  const maxRows = 3;
  const row = fc.record({ characters: fc.integer({ min: 0, max: 3 * mebi }) });
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const parts = splitRows(rows, { maxRows, charactersOf });
      expect(parts.flat()).toEqual(rows);
      for (const part of parts) {
        expect(part.length).toBeGreaterThan(0);
        expect(part.length).toBeLessThanOrEqual(maxRows);
        const characters = part.reduce((sum, each) => sum + each.characters, 0);
        expect(part.length === 1 || characters <= 2 * mebi).toBe(true);
      }
    }),
  );
});

test('a part takes what fits', () => {
  const sizes = (count: number, characters: number) =>
    splitRows(
      Array.from({ length: count }, () => ({ characters })),
      { maxRows: 500, charactersOf },
    ).map(({ length }) => length);
  expect(sizes(1_201, 2)).toEqual([500, 500, 201]);
  expect(sizes(5, mebi)).toEqual([2, 2, 1]);
  expect(sizes(0, 2)).toEqual([]);
});
