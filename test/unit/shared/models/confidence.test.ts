import * as fc from 'fast-check';
import { confidence } from '../../../../shared/models/confidence.ts';
import { confidenceMethods } from '../../../../shared/models/binary-classifier-manifest.ts';

const members = [0.1, 0.3];

it.each([
  ['class_probability', 0.2, 0.8],
  ['class_probability', 0.5, 0.5],
  ['class_probability', 0.9, 0.9],
  ['margin', 0.2, 0.6],
  ['margin', 0.5, 0],
  ['margin', 1, 1],
  ['entropy', 0.5, 0],
  ['entropy', 0, 1],
  ['entropy', 1, 1],
  // H(0.11) is half a bit.
  ['entropy', 0.11002786443835955, 0.5],
  ['agreement', 0.2, 0.8],
] as const)('%s of %d is %d', (method, probability, expected) => {
  expect(confidence(method, { probability, memberProbabilities: members })).toBeCloseTo(expected, 12);
});

it('agreement is complete among equals, and none when half of the members are sure of the opposite', () => {
  const agreement = (memberProbabilities: number[]) =>
    confidence('agreement', { probability: 0.5, memberProbabilities });
  expect(agreement([0.7, 0.7, 0.7])).toBeCloseTo(1, 12);
  expect(agreement([0, 1, 0, 1])).toBe(0);
});

it('is from 0 to 1, and the same for a probability and its opposite', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      share,
      fc.array(share, { minLength: 1, maxLength: 9 }),
      (probability, memberProbabilities) => {
        for (const method of confidenceMethods) {
          const stated = confidence(method, { probability, memberProbabilities });
          const opposite = confidence(method, {
            probability: 1 - probability,
            memberProbabilities: memberProbabilities.map((member) => 1 - member),
          });
          expect(stated).toBeGreaterThanOrEqual(0);
          expect(stated).toBeLessThanOrEqual(1);
          expect(stated).toBeCloseTo(opposite, 7);
        }
      },
    ),
  );
});

it.each(['class_probability', 'margin', 'entropy'] as const)(
  '%s rises the farther it is from even',
  (method) => {
    const distance = fc.double({ min: 0, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(distance, distance, (one, other) => {
        const [near, far] = [Math.min(one, other), Math.max(one, other)].map((each) =>
          confidence(method, { probability: 0.5 + each, memberProbabilities: members }),
        );
        expect(far).toBeGreaterThanOrEqual((near ?? 0) - 1e-12);
      }),
    );
  },
);
