import { html, type Html } from '../html.ts';

/** A whole page. */
export function layout(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · Presage</title>
        <link rel="stylesheet" href="/ledger.css" />
      </head>
      <body>
        <header>
          <strong>Presage</strong>
          <nav><a href="/queues">Queues</a> <a href="/jobs">Jobs</a></nav>
        </header>
        <main>${body}</main>
      </body>
    </html>`.toString();
}
