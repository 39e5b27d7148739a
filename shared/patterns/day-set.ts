/** A set of days of a window, one bit a day, counted from the window's first day. */
export type DaySet = Int32Array;

export function createDaySet(days: number): DaySet {
  return new Int32Array(Math.max(1, Math.ceil(days / 32)));
}

export function addDay(set: DaySet, day: number): void {
  set[day >> 5] = (set[day >> 5] ?? 0) | (1 << (day & 31));
}

export function addDays(set: DaySet, others: DaySet): void {
  for (let word = 0; word < set.length; word += 1) set[word] = (set[word] ?? 0) | (others[word] ?? 0);
}

export function countDays(set: DaySet): number {
  let count = 0;
  for (let word = 0; word < set.length; word += 1) count += bitsOf(set[word] ?? 0);
  return count;
}

/** How many days are in both sets. */
export function countShared(one: DaySet, other: DaySet): number {
  let count = 0;
  for (let word = 0; word < one.length; word += 1) count += bitsOf((one[word] ?? 0) & (other[word] ?? 0));
  return count;
}

export function sharedDays(one: DaySet, other: DaySet): DaySet {
  return one.map((word, index) => word & (other[index] ?? 0));
}

/** The days of the first set that are not in the second. */
export function daysWithout(one: DaySet, other: DaySet): DaySet {
  return one.map((word, index) => word & ~(other[index] ?? 0));
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
