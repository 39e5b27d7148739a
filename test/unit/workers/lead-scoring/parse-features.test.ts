import { parseFeatures } from '../../../../workers/lead-scoring/parse-features.ts';

test.each(['', 'null', '5', '"text"', '[]', '[{}]', '{', '{"age":}'])('%j is no features', (text) => {
  expect(parseFeatures(text)).toBeUndefined();
});

test.each([{}, { age: 40, job: null, nested: { a: [1] } }])('%j is what is known of a lead', (features) => {
  expect(parseFeatures(JSON.stringify(features))).toEqual(features);
});
