import { html, type Html } from '../html.ts';

/** An instant in UTC, to the millisecond. */
export function showTime(instant: Date): Html {
  const iso = instant.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, -1)}</time>`;
}
