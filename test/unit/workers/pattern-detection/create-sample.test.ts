import * as fc from 'fast-check';
import { createRandom } from '../../../../shared/sample-log/create-random.ts';
import { createSample } from '../../../../workers/pattern-detection/create-sample.ts';

function sampleOf(size: number, items: number, seed: number): readonly number[] {
  const sample = createSample<number>(size, createRandom(seed));
  for (let item = 0; item < items; item += 1) sample.add(item);
  return sample.items();
}

describe('createSample', () => {
  it('holds as many different ones as it can, and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 60 }), fc.nat(), (size, items, seed) => {
        const sample = sampleOf(size, items, seed);
        expect(sample).toHaveLength(Math.min(size, items));
        expect(new Set(sample).size).toBe(sample.length);
        expect(sample.every((item) => item < items)).toBe(true);
      }),
    );
  });

  it('is fair: early and late ones are as often in it', () => {
    const counts = Array.from({ length: 50 }, () => 0);
    for (let seed = 0; seed < 2_000; seed += 1) {
      for (const item of sampleOf(10, 50, seed)) counts[item] = (counts[item] ?? 0) + 1;
    }
    // Each is expected 400 times, give or take 18.
    expect(Math.min(...counts)).toBeGreaterThan(310);
    expect(Math.max(...counts)).toBeLessThan(490);
  });
});
