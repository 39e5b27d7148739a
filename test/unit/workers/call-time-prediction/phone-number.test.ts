import * as fc from 'fast-check';
import { isPossiblePhoneNumber } from '../../../../workers/call-time-prediction/phone-number.ts';

describe('isPossiblePhoneNumber', () => {
  it.each([
    '+972501234567',
    '+12125550123',
    '+442079460018',
    '+80012345678',
    '+870773111632',
    '+38349123456',
  ])('takes %s', (text) => expect(isPossiblePhoneNumber(text)).toBe(true));

  it.each([
    ['no plus sign', '972501234567'],
    ['an international prefix', '00972501234567'],
    ['separators', '+972-50-123-4567'],
    ['spaces', '+972 501234567'],
    ['a space before it', ' +972501234567'],
    ['a line break after it', '+972501234567\n'],
    ['letters', '+97250123456x'],
    ['an extension', '+972501234567;ext=1'],
    ['other digits than 0 to 9', '+٩٧٢٥٠١٢٣٤٥٦٧'],
    ['a zero first', '+0501234567'],
    ['no such country', '+99912345678'],
    ['too short for its country', '+12345'],
    ['too long for its country', '+1212555012345'],
    ['more than fifteen digits', '+9725012345678901'],
    ['nothing', ''],
    ['a plus sign', '+'],
  ])('refuses %s', (_, text) => expect(isPossiblePhoneNumber(text)).toBe(false));

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\+\d{0,20}$/)), (text) => {
        const possible = isPossiblePhoneNumber(text);
        if (possible) expect(text).toMatch(/^\+[1-9]\d{1,14}$/);
      }),
    );
  });
});
