import * as fc from 'fast-check';
import { isPlainText, onOneLine, toPlainText } from '../../../../shared/pages/plain-text.ts';

/** Texts of which markup is made, in any order, among others. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<',
        '>',
        '</',
        '<!--',
        '&',
        '&#',
        '&lt',
        ';',
        '](',
        ']:',
        '://',
        'javascript',
        ':',
        'data:',
      ),
      fc.constantFrom(
        ' ',
        '\n',
        '\t',
        '\u0000',
        '\u001b[31m',
        '\u202e',
        '\u200d',
        '\ud800',
        '\u2028',
        'script',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

it.each([
  'Your morning, at 9:30',
  'a < b, 3 <= 4 and x > y',
  'R&D, Q&A and fish & chips',
  'order:list after screen:home',
  'Your data: five entries',
  '[Mon] (5 times) *often* _so_ `code` # 1',
  '"quoted" and it’s fine',
  'family 👨‍👩‍👧 and می‌خواهم',
  'see about: nothing',
])('%j is plain', (text) => {
  expect(isPlainText(text)).toBe(true);
  expect(onOneLine(text)).toBe(text);
  expect(toPlainText(text, 200)).toBe(text);
});

it.each([
  '<b>bold</b>',
  '<!-- hidden',
  '<?xml',
  'ends with <',
  '<\u{1d49c}',
  '&#60;script&#62;',
  '&lt;script&gt;',
  '&ltscript',
  '&nbsp;',
  '[x](/logout)',
  '![x](//tracker)',
  '[x]: /logout',
  'https://example.org',
  'ftp://x',
  'custom+scheme://x',
  '//x://y',
  'JavaScript:alert(1)',
  'javascript :alert(1)',
  'vbscript:x',
  'data:text/html,x',
  'mailto:a@b',
  'tel:123',
])('%j is more than text', (text) => {
  expect(isPlainText(text)).toBe(false);
  const plain = toPlainText(text, 200);
  expect(isPlainText(plain)).toBe(true);
  expect(plain).not.toBe('');
});

it('any text becomes a plain one of the length that is asked for, and stays it', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 1, max: 60 }), (text, maxCharacters) => {
      const plain = toPlainText(text, maxCharacters);
      expect(plain.length).toBeGreaterThan(0);
      expect(plain.length).toBeLessThanOrEqual(maxCharacters);
      expect(isPlainText(plain)).toBe(true);
      expect(onOneLine(plain)).toBe(plain);
      expect(plain).not.toMatch(/<[a-z/!?]|[\p{Cc}\p{Cs}\p{Co}\u2028\u2029\u202a-\u202e]/iu);
    }),
    { numRuns: 2_000 },
  );
});

it('what is put on one line is on one line, and stays as it is', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const line = onOneLine(text);
      expect(onOneLine(line)).toBe(line);
      expect(line).not.toMatch(/\s\s|^\s|\s$|[\n\r\t]/u);
      expect(line.isWellFormed()).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
