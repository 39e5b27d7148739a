import { confidenceOf } from '../../../../shared/patterns/verify-pattern.ts';
import type { Evidence } from '../../../../shared/patterns/evidence.ts';
import { learnPopulation, type Example } from '../../../../shared/patterns/learn-population.ts';
import { defaultPopulation, populationSchema } from '../../../../shared/patterns/population.ts';

function evidence(hits: number, occasions: number, kind: Evidence['kind'] = 'time'): Evidence {
  const counts = { hits, occasions, fittedHits: hits, fittedOccasions: occasions };
  return { kind, ...counts, recentHits: hits / 2, recentOccasions: occasions / 2, baseRate: 0.05 };
}

/** What looked like three of four came true half as often, what looked like nine of ten three quarters. */
const others = Array.from({ length: 400 }, (_nothing, place): Example[] => [
  { evidence: evidence(3, 4), occasions: 1, cameTrue: place % 8 < 3 ? 1 : 0 },
  { evidence: evidence(18, 20), occasions: 4, cameTrue: place % 4 === 0 ? 0 : 4 },
]).flat();

describe('learnPopulation', () => {
  it('is the built-in one while nothing is known', () => {
    expect(learnPopulation([])).toEqual(defaultPopulation);
  });

  it('states what came true for others', () => {
    const population = learnPopulation(others);
    expect(population.examples).toBe(800);
    expect(confidenceOf(evidence(3, 4), population)).toBeCloseTo(0.375, 1);
    expect(confidenceOf(evidence(18, 20), population)).toBeCloseTo(0.75, 1);
    expect(confidenceOf(evidence(10, 20, 'sequence'), population)).toBe(
      confidenceOf(evidence(10, 20, 'sequence'), defaultPopulation),
    );
  });

  it('survives being kept as JSON', () => {
    const population = learnPopulation(others);
    expect(populationSchema.parse(JSON.parse(JSON.stringify(population)))).toEqual(population);
  });

  it('stays finite when everything, or nothing, came true', () => {
    for (const share of [0, 1]) {
      const always = others.map((example) => ({ ...example, cameTrue: share * example.occasions }));
      const { time } = learnPopulation(always);
      expect(time.every((weight) => Math.abs(weight) < 20)).toBe(true);
      expect(Math.abs(confidenceOf(evidence(18, 20), learnPopulation(always)) - share)).toBeLessThan(0.05);
    }
  });

  it('leaves out patterns that had no occasion', () => {
    expect(learnPopulation([{ evidence: evidence(3, 4), occasions: 0, cameTrue: 0 }])).toEqual(
      defaultPopulation,
    );
  });
});
