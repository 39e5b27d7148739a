import fc from 'fast-check';
import { checkLeadIds } from '../../../../workers/lead-scoring/check-lead-ids.ts';

test('every id comes back once, at its first place, as a lead or as an error', () => {
  const id = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 140 }),
    fc.constantFrom('', ' ', 'a', 'b', 'x'.repeat(128)),
  );
  fc.assert(
    fc.property(fc.array(id), (ids) => {
      const { positions, invalid } = checkLeadIds(ids);
      const found = [
        ...positions,
        ...invalid.map(({ position, error }): [string, number] => [error.lead_id, position]),
      ];
      expect(found.toSorted(([, one], [, other]) => one - other)).toEqual(
        [...new Set(ids)].map((each) => [each, ids.indexOf(each)]),
      );
    }),
  );
});

test.each([
  ['of 128 characters', 'x'.repeat(128), true],
  ['of 129 characters', 'x'.repeat(129), false],
  ['that is empty', '', false],
  ['with a space inside', 'lead 1', true],
  ['with a space at an end', 'lead ', false],
  ['with a line break', 'a\nb', false],
  ['in any script', 'ליד-東京-1', true],
  ['that is half a character', '\u{d83d}', false],
])('an id %s', (_what, id, isLead) => {
  expect(checkLeadIds([id]).positions.has(id)).toBe(isLead);
});
