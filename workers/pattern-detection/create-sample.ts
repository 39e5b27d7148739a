/** A fair sample of things that come one by one, however many: each of them has the same chance to be in it. */
export interface Sample<Item> {
  add(item: Item): void;
  items(): readonly Item[];
}

/** @param random numbers from 0 to below 1 */
export function createSample<Item>(size: number, random: () => number): Sample<Item> {
  const kept: Item[] = [];
  let seen = 0;
  return {
    add(item) {
      seen += 1;
      if (kept.length < size) {
        kept.push(item);
        return;
      }
      const place = Math.floor(random() * seen);
      if (place < size) kept[place] = item;
    },
    items: () => kept,
  };
}
