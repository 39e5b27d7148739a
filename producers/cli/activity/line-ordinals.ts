/** Answers how often the same fingerprint has come before: 0, then 1, 2, … */
export type NextOrdinal = (fingerprint: Buffer) => number;

const initialSlots = 1 << 16;

/**
 * Counts equal lines by the first 8 bytes of their fingerprints, in a table of 12 bytes a slot: a file of a million
 * different lines takes 25 MB. Two different lines whose first 8 bytes are equal share a count, which does no harm: the
 * ordinals of a file are still the same each time.
 *
 * @param fingerprint of any line, at least 8 bytes, evenly spread
 */
export function createLineOrdinals(): NextOrdinal {
  let keys = new Uint32Array(2 * initialSlots);
  /** How often each came; 0: the slot is free. */
  let counts = new Uint32Array(initialSlots);
  let taken = 0;

  /** The slot of a fingerprint, or the free one where it belongs. */
  function slotOf(low: number, high: number): number {
    const mask = counts.length - 1;
    let slot = low & mask;
    while (counts[slot] !== 0 && (keys[2 * slot] !== low || keys[2 * slot + 1] !== high)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  function put(low: number, high: number, count: number): void {
    const slot = slotOf(low, high);
    keys[2 * slot] = low;
    keys[2 * slot + 1] = high;
    counts[slot] = count;
  }

  function grow(): void {
    const [oldKeys, oldCounts] = [keys, counts];
    keys = new Uint32Array(2 * oldKeys.length);
    counts = new Uint32Array(2 * oldCounts.length);
    for (const [slot, count] of oldCounts.entries()) {
      if (count !== 0) put(oldKeys[2 * slot] ?? 0, oldKeys[2 * slot + 1] ?? 0, count);
    }
  }

  return (fingerprint) => {
    const [low, high] = [fingerprint.readUInt32LE(0), fingerprint.readUInt32LE(4)];
    const before = counts[slotOf(low, high)] ?? 0;
    put(low, high, before + 1);
    if (before === 0) taken += 1;
    if (taken * 3 > counts.length * 2) grow();
    return before;
  };
}
