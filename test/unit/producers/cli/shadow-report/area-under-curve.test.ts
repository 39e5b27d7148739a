import fc from 'fast-check';
import { areaUnderCurve } from '../../../../../producers/cli/shadow-report/area-under-curve.ts';

/** Few values, so that many are equal. */
const leads = fc.array(fc.record({ tenths: fc.integer({ min: 0, max: 10 }), converted: fc.boolean() }), {
  maxLength: 60,
});

test('it is the share of pairs that are in the right order, equal ones counted half', () => {
  fc.assert(
    fc.property(leads, (some) => {
      const converted = some.filter((lead) => lead.converted);
      const others = some.filter((lead) => !lead.converted);
      let right = 0;
      for (const one of converted) {
        for (const other of others) {
          if (one.tenths > other.tenths) right += 1;
          else if (one.tenths === other.tenths) right += 0.5;
        }
      }
      const area = areaUnderCurve(
        Float64Array.from(some, ({ tenths }) => tenths / 10),
        Uint8Array.from(some, (lead) => Number(lead.converted)),
      );
      const pairs = converted.length * others.length;
      if (pairs === 0) expect(area).toBeUndefined();
      else expect(area).toBeCloseTo(right / pairs, 12);
    }),
  );
});
