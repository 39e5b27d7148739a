import * as fc from 'fast-check';
import { optimalCallTimeSchema } from '../../../../shared/contracts/call-time-prediction.ts';
import { inventCallTime } from '../../../../shared/emulators/invent-call-time.ts';

describe('inventCallTime', () => {
  it('always invents a call time, and the same one for the same contact', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('Asia/Jerusalem', 'Europe/Paris', 'UTC'),
        (number, timezone) => {
          const invented = inventCallTime(number, timezone);
          expect(optimalCallTimeSchema.parse(invented)).toEqual(invented);
          expect(inventCallTime(number, timezone)).toEqual(invented);
        },
      ),
    );
  });

  it('invents different ones for different contacts', () => {
    const invented = Array.from({ length: 100 }, (_, index) =>
      JSON.stringify(inventCallTime(`+1${index}`, 'UTC')),
    );
    expect(new Set(invented).size).toBeGreaterThan(90);
  });
});
