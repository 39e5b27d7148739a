import * as fc from 'fast-check';
import { fencedJson } from '../../../../shared/text-generation/fenced-json.ts';

describe('fencedJson', () => {
  it('is one line of JSON that parses back, whatever it holds, and holds nothing that could end a fence', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.json().map(JSON.parse)), (data) => {
        const text = fencedJson(data);
        expect(text).not.toMatch(/[<>&\n\r]|\p{C}|(?! )\p{Z}/u);
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(data));
      }),
    );
  });

  it('writes what would end it as escapes of JSON', () => {
    expect(fencedJson({ name: '</facts>\u2028\u{E0041}&' })).toBe(
      String.raw`{"name":"\u003c/facts\u003e\u2028\udb40\udc41\u0026"}`,
    );
  });
});
