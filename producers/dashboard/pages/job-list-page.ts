import type { JobPage, JobSummary } from '../../../shared/ledger/browse-jobs.ts';
import type { JobView } from '../../../shared/queue/describe-job.ts';
import { html, type Html } from '../html.ts';
import type { JobListQuery } from '../job-list-query.ts';
import { formatDuration } from './format-duration.ts';
import { layout } from './layout.ts';
import { showTime } from './show-time.ts';

export interface ListedJob {
  job: JobSummary;
  state: JobView['state'];
}

export interface JobList extends Pick<JobPage, 'next' | 'searched'> {
  query: JobListQuery;
  jobs: readonly ListedJob[];
}

/** What can be chosen from. */
export interface JobListChoices {
  queues: readonly string[];
  states: readonly string[];
}

export function jobListPage(list: JobList, { queues, states }: JobListChoices): string {
  const { query, jobs } = list;
  return layout(
    'Jobs',
    html`<h1>Jobs</h1>
      <form class="filters" method="get" action="/jobs" role="search">
        <label class="wide"
          >Search
          <input
            type="search"
            name="search"
            value="${query.search}"
            maxlength="256"
            placeholder="job id, contact id, or other text of the payload, result or error"
            autocomplete="off"
            spellcheck="false"
        /></label>
        <label>Queue ${choice('queue', queues, query.queue)}</label>
        <label>State ${choice('state', states, query.state)}</label>
        ${query.parent && html`<input type="hidden" name="parent" value="${query.parent}" />`}
        <button type="submit">Show</button>
      </form>
      ${query.parent && html`<p>Children of ${jobLink(query.parent)}</p>`}
      ${jobs.length > 0 && jobTable(jobs)} ${searchReport(list)} ${pageLinks(list)}`,
  );
}

function choice(name: string, options: readonly string[], chosen: string | undefined): Html {
  return html`<select name="${name}">
    <option value="">any</option>
    ${options.map(
      (option) => html`<option value="${option}" ${option === chosen && html`selected`}>${option}</option>`,
    )}
  </select>`;
}

function jobTable(jobs: readonly ListedJob[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Job</th>
          <th>Queue</th>
          <th>State</th>
          <th class="number">Attempts</th>
          <th>Accepted (UTC)</th>
          <th class="number">Took</th>
          <th>Error</th>
        </tr>
      </thead>
      <tbody>
        ${jobs.map(jobRow)}
      </tbody>
    </table>
  </div>`;
}

function jobRow({ job, state }: ListedJob): Html {
  const tookMs = job.finishedAt && job.finishedAt.getTime() - job.createdAt.getTime();
  return html`<tr>
    <td>${jobLink(job.id)}</td>
    <td>${job.queue}</td>
    <td><span class="state ${state}">${state}</span></td>
    <td class="number">${job.attempts}</td>
    <td>${showTime(job.createdAt)}</td>
    <td class="number">${tookMs !== null && formatDuration(tookMs)}</td>
    <td>${job.error?.code}</td>
  </tr>`;
}

function jobLink(id: string): Html {
  return html`<a class="id" href="/jobs/${encodeURIComponent(id)}">${id}</a>`;
}

function searchReport({ jobs, searched }: JobList): Html {
  if (!searched) return html`${jobs.length === 0 && html`<p>No job.</p>`}`;
  return html`<p>
    ${count(jobs.length)} found.
    <span class="quiet"
      >Looked through
      ${count(searched.jobs)}${
        searched.backTo && html`, back to ${showTime(searched.backTo)} UTC; older ones were not looked at yet`
      }.</span
    >
  </p>`;
}

function count(jobs: number): string {
  return `${jobs.toLocaleString('en')} ${jobs === 1 ? 'job' : 'jobs'}`;
}

function pageLinks({ query, next, searched }: JobList): Html {
  return html`<p class="pages">
    ${query.before !== undefined && html`<a href="${listPath({ ...query, before: undefined })}">Newest</a>`}
    ${
      next !== undefined &&
      html`<a rel="next" href="${listPath({ ...query, before: next })}"
        >${searched?.backTo ? 'Search further back' : 'Older'}</a
      >`
    }
  </p>`;
}

function listPath(query: JobListQuery): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
  return `/jobs?${parameters.toString()}`;
}
