import { featuresHeader } from '../../../../workers/model-serving/features-header.ts';

const none = new Set<string>();
const treatment = { imputed: none, outOfRange: none, ignored: none };

test('nothing is told where every feature was taken as it came', () => {
  expect(featuresHeader(treatment)).toBeUndefined();
});

test('names that a string of the field cannot hold are display strings', () => {
  const ignored = new Set(['yahoo_^GSPC_Close', 'naïve', '50 %', '"\\', 'é"%']);
  expect(featuresHeader({ ...treatment, ignored })).toBe(
    String.raw`ignored=("yahoo_^GSPC_Close" %"na%c3%afve" "50 %" "\"\\" %"%c3%a9%22%25");count=5`,
  );
});

test('it stays short, whatever is sent, and cannot break out of its line', () => {
  const names = Array.from({ length: 1_000 }, (_nothing, place) => `feature-${place}\r\nset-cookie: x`);
  const header = featuresHeader({
    imputed: none,
    outOfRange: none,
    ignored: new Set([...names, 'x'.repeat(1_000)]),
  });
  expect(header).toMatch(/^ignored=\(%"feature-0%0d%0aset-cookie: x" /);
  expect(header).toMatch(/;count=1001$/);
  expect(header).not.toMatch(/[\r\n]|x{100}/);
  expect(header?.length).toBeLessThan(2_000);
});
