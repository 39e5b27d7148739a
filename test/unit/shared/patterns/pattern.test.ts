import { patternSchema } from '../../../../shared/patterns/pattern.ts';

const time = { kind: 'time', activity: 'dashboard', weekdays: [5, 1, 1], hour_start: 9, hour_end: 10 };
const sequence = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 };

describe('a pattern', () => {
  it('names each weekday once, in order', () => {
    expect(patternSchema.parse(time)).toEqual({ ...time, weekdays: [1, 5] });
    expect(patternSchema.parse(sequence)).toEqual(sequence);
  });

  it.each([
    ['no weekday', { ...time, weekdays: [] }],
    ['weekday 0', { ...time, weekdays: [0] }],
    ['an hour that ends before it starts', { ...time, hour_start: 10, hour_end: 10 }],
    ['half an hour', { ...time, hour_start: 9.5 }],
    ['a window so wide that it is trivially true', { ...time, hour_end: 13 }],
    ['hour 25', { ...time, hour_start: 23, hour_end: 25 }],
    ['no name', { ...time, activity: '' }],
    ['an endless name', { ...time, activity: 'x'.repeat(129) }],
    ['half a character', { ...time, activity: '\ud800' }],
    ['weekdays as text', { ...time, weekdays: '1,2' }],
    ['an activity that follows itself', { ...sequence, activity: 'login' }],
    ['more than a day', { ...sequence, within_minutes: 1_441 }],
    ['another kind', { ...sequence, kind: 'season' }],
  ])('is refused with %s', (_title, value) => {
    expect(patternSchema.safeParse(value).success).toBe(false);
  });
});
