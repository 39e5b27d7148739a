import type { JobRecord } from '../../../shared/ledger/job-record.ts';
import type { JobView } from '../../../shared/queue/describe-job.ts';
import type { RedisTrace } from '../../../shared/queue/open-read-only-queues.ts';
import { html, type Html, type HtmlValue } from '../html.ts';
import { formatDuration } from './format-duration.ts';
import { layout } from './layout.ts';
import { showTime } from './show-time.ts';

export interface ShownJob {
  record: JobRecord;
  view: JobView;
  /** Undefined when Redis has forgotten the job or is away. */
  trace: RedisTrace | undefined;
  children: { done: number; total: number };
}

/** More characters than this of a payload or result are not shown: a page is for reading. */
const shownCharacters = 50_000;

export function jobPage({ record, view, trace, children }: ShownJob): string {
  const path = `/jobs/${encodeURIComponent(record.id)}`;
  return layout(
    `Job ${record.id}`,
    html`<h1><span class="id">${record.id}</span> <span class="state ${view.state}">${view.state}</span></h1>
      ${actions(record, path)} ${record.error && failure(record.error)}
      <dl>${facts(record, view, children)} ${timings(record, trace)}</dl>
      ${document('Payload', record.payload)} ${record.result !== null && document('Result', record.result)}`,
  );
}

function actions({ state }: JobRecord, path: string): Html {
  const button = (action: string, label: string) =>
    html`<form method="post" action="${path}/${action}"><button type="submit">${label}</button></form>`;
  return html`<div class="actions">
    ${(state === 'failed' || state === 'cancelled') && button('retry', 'Retry')}
    ${state === 'accepted' && button('cancel', 'Cancel')}
  </div>`;
}

function failure(error: NonNullable<JobRecord['error']>): Html {
  return html`<section class="failure">
    <strong>${error.code}</strong> <span class="quiet">${error.kind}</span>
    <p>${error.message}</p>
  </section>`;
}

function facts(record: JobRecord, view: JobView, children: ShownJob['children']): Html {
  const childList = `/jobs?${new URLSearchParams({ parent: record.id }).toString()}`;
  const { progress } = view;
  return html`${fact('Queue', html`<a href="/jobs?queue=${encodeURIComponent(record.queue)}">${record.queue}</a>`)}
  ${fact('Attempts', record.attempts)} ${record.generation > 1 && fact('Generation', record.generation)}
  ${progress && fact('Progress', `${progress.done} of ${progress.total}`)}
  ${
    record.parentId &&
    fact(
      'Parent',
      html`<a class="id" href="/jobs/${encodeURIComponent(record.parentId)}">${record.parentId}</a>`,
    )
  }
  ${
    children.total > 0 &&
    fact('Children', html`<a href="${childList}">${children.done} of ${children.total} done</a>`)
  }
  ${record.requestId && fact('Request', html`<span class="id">${record.requestId}</span>`)}`;
}

function timings(record: JobRecord, trace: RedisTrace | undefined): Html {
  const { createdAt, dueAt, finishedAt, attempts } = record;
  const { startedAt, endedAt } = trace ?? {};
  return html`${fact('Accepted', inUtc(createdAt))}
  ${dueAt.getTime() !== createdAt.getTime() && fact('Due', inUtc(dueAt))}
  ${startedAt && fact(attempts > 1 ? 'Last attempt started' : 'Started', inUtc(startedAt))}
  ${startedAt && attempts <= 1 && fact('Waited', between(dueAt, startedAt))}
  ${startedAt && endedAt && fact(attempts > 1 ? 'Last attempt ran' : 'Ran', between(startedAt, endedAt))}
  ${finishedAt && fact('Finished', inUtc(finishedAt))}
  ${finishedAt && fact('Took', between(createdAt, finishedAt))}
  ${trace && fact('In Redis', html`<a class="id" href="${boardPath(record.queue, trace.redisId)}">${trace.redisId}</a>`)}`;
}

function inUtc(instant: Date): Html {
  return html`${showTime(instant)} UTC`;
}

function between(from: Date, to: Date): string {
  return formatDuration(to.getTime() - from.getTime());
}

function boardPath(queue: string, redisId: string): string {
  return `/queues/queue/${encodeURIComponent(queue)}/${encodeURIComponent(redisId)}`;
}

function fact(name: string, value: HtmlValue): Html {
  return html`<dt>${name}</dt>
    <dd>${value}</dd>`;
}

function document(title: string, value: unknown): Html {
  const text = JSON.stringify(value, null, 2);
  const cut = text.length > shownCharacters;
  return html`<details>
    <summary>${title} <span class="quiet">${text.length.toLocaleString('en')} characters</span></summary>
    <pre>${text.slice(0, shownCharacters)}</pre>
    ${cut && html`<p class="quiet">The rest is left out here; <code>presage jobs show</code> prints all of it.</p>`}
  </details>`;
}
