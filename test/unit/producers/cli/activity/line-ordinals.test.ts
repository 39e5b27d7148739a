import { hash } from 'node:crypto';
import { createLineOrdinals } from '../../../../../producers/cli/activity/line-ordinals.ts';

const fingerprintOf = (text: string) => hash('sha256', text, 'buffer');

test('the n-th of equal lines has the ordinal n - 1, however many others come between', () => {
  const nextOrdinal = createLineOrdinals();
  for (let time = 0; time < 3; time += 1) {
    const ordinals = new Set<number>();
    for (let line = 0; line < 200_000; line += 1) ordinals.add(nextOrdinal(fingerprintOf(`line ${line}`)));
    expect([...ordinals]).toEqual([time]);
  }
  expect(nextOrdinal(fingerprintOf('another'))).toBe(0);
});

test('fingerprints that begin at the same place are told apart', () => {
  const nextOrdinal = createLineOrdinals();
  const fingerprint = (high: number) => Buffer.from(Uint32Array.of(7, high).buffer);
  expect([1, 2, 1, 2, 1].map((high) => nextOrdinal(fingerprint(high)))).toEqual([0, 0, 1, 1, 2]);
});
