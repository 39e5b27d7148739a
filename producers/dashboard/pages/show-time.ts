import { html, type Html } from '../html.ts';

/** An instant, to the millisecond; in UTC, which whoever shows it has to say. */
export function showTime(instant: Date): Html {
  const iso = instant.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, -1)}</time>`;
}
