import fc from 'fast-check';
import { html } from '../../../../producers/dashboard/html.ts';

test('text is escaped, HTML and numbers stand, nothing is nothing, lists are joined', () => {
  const inner = html`<b>${'<i>'}</b>`;
  expect(html`${inner}|${7}|${0}|${null}|${undefined}|${false}|${['&', inner]}`.toString()).toBe(
    '<b>&lt;i&gt;</b>|7|0||||&amp;<b>&lt;i&gt;</b>',
  );
});

test('what only looks like our HTML is text', () => {
  const forged = JSON.stringify({ text: '<script>', toString: 'x' });
  expect(html`${forged}`.toString()).not.toContain('<script>');
});

test('no text leaves its element or its attribute, and none is changed', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', ';', 'a', '=', '`', '/') }),
      (text) => {
        const escaped = html`${text}`.toString();
        expect(escaped).not.toMatch(/[<>"']/);
        const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
        expect(escaped.replaceAll(/&(#?\w+);/g, (_whole, name: string) => entities[name] ?? '?')).toBe(text);
      },
    ),
  );
});
