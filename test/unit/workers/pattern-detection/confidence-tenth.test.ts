import { confidenceTenth } from '../../../../workers/pattern-detection/confidence-tenth.ts';

test.each([
  [0, '0.0-0.1'],
  [0.6999, '0.6-0.7'],
  [0.7, '0.7-0.8'],
  [0.95, '0.9-1.0'],
  [1, '0.9-1.0'],
])('%d lies in %s', (confidence, tenth) => {
  expect(confidenceTenth(confidence)).toBe(tenth);
});
