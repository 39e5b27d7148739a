import { scoreQuality } from '../../../../../producers/cli/shadow-report/score-quality.ts';

test('figures by hand', () => {
  const probabilities = Float64Array.of(0.125, 0.25, 0.625, 1);
  const converted = Uint8Array.of(0, 1, 0, 1);
  expect(scoreQuality(probabilities, converted)).toEqual({
    auc: 3 / 4,
    accuracy: 2 / 4,
    brier: (0.125 ** 2 + 0.75 ** 2 + 0.625 ** 2) / 4,
    calibrationError: (0.125 + 0.75 + 0.625) / 4,
  });
});

test('what is stated of a tenth is held against what became of it', () => {
  const half = Float64Array.from({ length: 10 }, () => 0.5);
  const every = Uint8Array.from({ length: 10 }, (_, place) => place % 2);
  expect(scoreQuality(half, every)).toEqual({ auc: 0.5, accuracy: 0.5, brier: 0.25, calibrationError: 0 });
});

test('where all converted there is no curve', () => {
  expect(scoreQuality(Float64Array.of(0.75, 1), Uint8Array.of(1, 1))).toEqual({
    auc: undefined,
    accuracy: 1,
    brier: 0.0625 / 2,
    calibrationError: 0.25 / 2,
  });
});
