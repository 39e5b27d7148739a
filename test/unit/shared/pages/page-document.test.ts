import * as fc from 'fast-check';
import { z } from 'zod';
import { maximumPageBytes, pageDocumentSchema } from '../../../../shared/pages/page-document.ts';
import { isPlainText, onOneLine } from '../../../../shared/pages/plain-text.ts';
import { isStrict, portableSchema } from '../../../../shared/text-generation/portable-schema.ts';

const words = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('A sentence.', ' two\nlines ', 'order:list', '\u202eleft') },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom('<script>', 'javascript:x', '', '学'.repeat(1_000)) },
);
const blockOfAnyKind = fc.oneof(
  fc.record({ kind: fc.constantFrom('heading', 'paragraph', 'paragraph', 'html'), text: words }),
  fc.record({ kind: fc.constant('list'), items: fc.array(words, { minLength: 1, maxLength: 9 }) }),
  fc.record({
    kind: fc.constant('facts'),
    items: fc.array(fc.record({ label: words, value: words, html: words }), { minLength: 1, maxLength: 11 }),
  }),
  fc.record({
    kind: fc.constant('links'),
    items: fc.array(fc.record({ label: words, page_key: words }), { minLength: 1, maxLength: 9 }),
  }),
);
const anything = fc.record({
  title: words,
  blocks: fc.array(blockOfAnyKind, { minLength: 1, maxLength: 13 }),
  style: words,
});

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

it('whatever is accepted is plain text in known blocks, small, and is accepted again as it is', () => {
  let accepted = 0;
  fc.assert(
    fc.property(anything, (input) => {
      const parsed = pageDocumentSchema.safeParse(input);
      if (!parsed.success) return;
      accepted += 1;
      const page = parsed.data;
      expect(pageDocumentSchema.parse(JSON.parse(JSON.stringify(page)))).toEqual(page);
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(maximumPageBytes);
      expect(Object.keys(page)).toEqual(['title', 'blocks']);
      expect(JSON.stringify(page)).not.toContain('"html":');
      for (const text of textsIn(page)) {
        expect(isPlainText(text)).toBe(true);
        expect(onOneLine(text)).toBe(text);
        expect(text).not.toBe('');
      }
    }),
    { numRuns: 3_000 },
  );
  expect(accepted).toBeGreaterThan(30);
});

it('no text costs more time than its length is worth', () => {
  for (const part of ['<', '&a', 'a', ' ', ']', 'javascript ', '\u0000', ':/']) {
    const text = part.repeat(1_000_000);
    expect(pageDocumentSchema.safeParse({ title: text, blocks: [] }).success).toBe(false);
  }
});

it('can be told to every vendor: nothing in it may be left out', () => {
  const schema = portableSchema(z.toJSONSchema(pageDocumentSchema));
  expect(isStrict(schema)).toBe(true);
  const text = JSON.stringify(schema);
  for (const kind of ['heading', 'paragraph', 'list', 'facts', 'links']) {
    expect(text).toContain(`"const":"${kind}"`);
  }
});
