import { html } from '../html.ts';
import { layout } from './layout.ts';

/** A page that only says something, usually why there is no other. */
export function messagePage(title: string, message: string, requestId: string): string {
  return layout(
    title,
    html`<h1>${title}</h1>
      <p>${message}</p>
      <p class="quiet">Request ${requestId}</p>`,
  );
}
