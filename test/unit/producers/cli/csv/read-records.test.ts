import fc from 'fast-check';
import { readLines } from '../../../../../producers/cli/csv/read-lines.ts';
import { readRecords, type CsvRecord } from '../../../../../producers/cli/csv/read-records.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function read(text: string, chunkBytes = 7): Promise<CsvRecord[]> {
  const records: CsvRecord[] = [];
  for await (const record of readRecords(readLines(inChunks(text, chunkBytes)))) records.push(record);
  return records;
}

test('lines are numbered as editors count them; empty ones are left out', async () => {
  expect(await read('a,b\r\n\n 1 ,2\n\nü,\n')).toEqual([
    { line: 1, fields: ['a', 'b'] },
    { line: 3, fields: ['1', '2'] },
    { line: 5, fields: ['ü', ''] },
  ]);
});

test('the last line needs no end', async () => {
  expect(await read('a\nb')).toEqual([
    { line: 1, fields: ['a'] },
    { line: 2, fields: ['b'] },
  ]);
});

test('quoted fields may hold commas, quotation marks and line breaks', async () => {
  expect(await read('"a,""b""",c\n"d\ne",f\ng,h\n')).toEqual([
    { line: 1, fields: ['a,"b"', 'c'] },
    { line: 2, fields: ['d\ne', 'f'] },
    { line: 4, fields: ['g', 'h'] },
  ]);
});

test('a quotation mark that is not closed spoils its own line only', async () => {
  const lines = Array.from({ length: 120 }, (_, index) => `user_${index},login`);
  const records = await read(
    ['"broken,login', ...lines, 'also "broken,login', ...lines, ''].join('\n'),
    1_000,
  );
  expect(records.filter(({ fields }) => !fields).map(({ line }) => line)).toEqual([1, 122]);
  expect(records.filter(({ fields }) => fields)).toHaveLength(240);
});

test('a line that is too long to be right is named, and those after it are read', async () => {
  const long = 'x'.repeat(200_000);
  for (const chunkBytes of [1_000, 1_000_000]) {
    expect(await read(`a,b\n${long}\n"c\n"${long}\nd,e\n`, chunkBytes)).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: undefined },
      { line: 3, fields: undefined },
      { line: 4, fields: undefined },
      { line: 5, fields: ['d', 'e'] },
    ]);
  }
});

test('however the bytes arrive, the records are the same', async () => {
  const text = fc.array(fc.constantFrom('a', 'ü', '🙂', ',', '"', '\n', '\r\n', ' '), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 20 }), async (parts, chunkBytes) => {
      const whole = parts.join('');
      expect(await read(whole, chunkBytes)).toEqual(await read(whole, 10_000));
    }),
    { numRuns: 300 },
  );
});
