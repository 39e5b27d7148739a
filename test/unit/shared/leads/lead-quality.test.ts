import fc from 'fast-check';
import { leadQuality } from '../../../../shared/leads/lead-quality.ts';

/** @param stated the probability of each lead of the tenth */
const tenthOf = (tenth: number, stated: number, leads: number, converted: number) => ({
  tenth,
  leads,
  converted,
  probabilitySum: stated * leads,
});

test('a lead is predicted to convert from 0.5 on', () => {
  const quality = leadQuality([tenthOf(0, 0.05, 60, 3), tenthOf(4, 0.45, 20, 9), tenthOf(5, 0.5, 20, 15)]);
  expect(quality).toMatchObject({ leads: 100, accuracy: (57 + 11 + 15) / 100, precision: 15 / 20 });
  expect(quality.recall).toBeCloseTo(15 / 27, 12);
  expect(quality.calibrationError).toBeCloseTo(0.2 * 0.25, 12);
});

test('gaps of one tenth do not make up for those of another', () => {
  const { calibrationError } = leadQuality([tenthOf(1, 0.1, 10, 2), tenthOf(9, 0.9, 10, 8)]);
  expect(calibrationError).toBeCloseTo(0.1, 12);
});

test('where nobody was predicted to convert there is no precision, and where nobody did no recall', () => {
  expect(leadQuality([tenthOf(0, 0.05, 10, 0)])).toMatchObject({
    accuracy: 1,
    precision: undefined,
    recall: undefined,
  });
  expect(leadQuality([tenthOf(8, 0.85, 10, 0)])).toMatchObject({
    accuracy: 0,
    precision: 0,
    recall: undefined,
  });
  expect(leadQuality([tenthOf(0, 0.05, 10, 1)])).toMatchObject({ precision: undefined, recall: 0 });
});

test('every figure agrees with what it says of single leads', () => {
  const lead = fc.record({
    probability: fc.double({ min: 0, max: 1, noNaN: true }),
    converted: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(lead, { minLength: 1, maxLength: 60 }), (leads) => {
      const tenths = Map.groupBy(leads, ({ probability }) => Math.min(Math.floor(probability * 10), 9));
      const quality = leadQuality(
        [...tenths].map(([tenth, inTenth]) => ({
          tenth,
          leads: inTenth.length,
          converted: inTenth.filter(({ converted }) => converted).length,
          probabilitySum: inTenth.reduce((sum, { probability }) => sum + probability, 0),
        })),
      );
      // In tenths, because 0.49999999999999994 is taken for 0.5.
      const predicted = leads.filter(({ probability }) => Math.floor(probability * 10) >= 5);
      const converted = leads.filter((one) => one.converted);
      const both = predicted.filter((one) => one.converted).length;
      const right = leads.filter((one) => predicted.includes(one) === one.converted).length;
      const share = (part: number, whole: number) => (whole === 0 ? undefined : part / whole);
      expect(quality).toMatchObject({
        leads: leads.length,
        accuracy: right / leads.length,
        precision: share(both, predicted.length),
        recall: share(both, converted.length),
      });
      expect(quality.calibrationError).toBeGreaterThanOrEqual(0);
      expect(quality.calibrationError).toBeLessThanOrEqual(1);
    }),
  );
});
