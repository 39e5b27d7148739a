import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import type { JobRowState } from '../../../shared/database/jobs-table.ts';
import type { JobRecord } from '../../../shared/ledger/job-record.ts';
import type { Ledger } from '../../../shared/ledger/open-ledger.ts';
import { describeJob, jobViewSchema, type JobView } from '../../../shared/queue/describe-job.ts';
import type { Dispatcher } from '../../../shared/queue/open-dispatcher.ts';
import { cancelJob, retryJob, type SteeringClients } from '../../../shared/queue/steer-job.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { ProblemError } from '../../../shared/http/problem.ts';

export interface JobRouteDependencies extends SteeringClients {
  ledger: Ledger;
  dispatcher: Dispatcher;
  queues: readonly string[];
  /** Aborted when the server stops: streams end then. */
  stopping: AbortSignal;
}

const states = ['accepted', 'running', 'completed', 'failed', 'cancelled'] as const;
const jobSchema = jobViewSchema.meta({ id: 'Job' });
const parameters = z.object({ id: z.string() });
const problems = { 401: problemSchema, 403: problemSchema, 404: problemSchema, 503: problemSchema };
const lookEveryMs = 500;
/** No longer does one request look through the ledger; the next one goes on from there. */
const searchForMs = 3_000;
/** Keeps proxies from taking a quiet stream for a dead one. */
const heartbeatEveryMs = 15_000;

function listQuerySchema(queues: JobRouteDependencies['queues']) {
  return z.object({
    queue: z.enum(queues).optional(),
    state: z.enum(states).optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    search: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: 'Text in the id, the payload or the result, such as a contact id' }),
    limit: z.coerce.number().int().min(1).max(500).default(50),
    cursor: z.uuid().optional().meta({
      description:
        '`next_cursor` of the page before. A search that takes long answers what it has found so far',
    }),
  });
}

type ListQuery = z.output<ReturnType<typeof listQuerySchema>>;

export function addJobRoutes(server: HttpServer, dependencies: JobRouteDependencies): void {
  const { ledger, queues, stopping } = dependencies;

  async function existing(id: string): Promise<JobRecord> {
    const record = z.uuid().safeParse(id).success ? await ledger.read(id) : undefined;
    if (!record) throw new ProblemError('NOT_FOUND', 'There is no job with this id.');
    return record;
  }

  server.get(
    '/v1/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Jobs, newest first',
        querystring: listQuerySchema(queues),
        response: {
          200: z.object({ jobs: z.array(jobSchema), next_cursor: z.uuid().nullable() }),
          ...problems,
          422: problemSchema,
        },
      },
    },
    async (request) => {
      const { state } = request.query;
      const { records, next } = await readPage(request.query, dependencies);
      const views = await Promise.all(records.map((record) => describeJob(record, dependencies)));
      return {
        jobs: views.filter((view) => state === undefined || view.state === state),
        next_cursor: next ?? null,
      };
    },
  );

  server.get(
    '/v1/jobs/:id',
    {
      schema: {
        tags: ['jobs'],
        summary: 'A job: its state, progress, result or error',
        params: parameters,
        response: { 200: jobSchema, ...problems },
      },
    },
    async (request) => describeJob(await existing(request.params.id), dependencies),
  );

  server.get(
    '/v1/jobs/:id/events',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The same as server-sent events, one per change, until the job is settled',
        params: parameters,
      },
    },
    async (request, reply) => {
      let record: JobRecord | undefined = await existing(request.params.id);
      reply.hijack();
      const { raw } = reply;
      const gone = new AbortController();
      raw.once('close', () => gone.abort());
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-request-id': request.id,
      });
      const signal = AbortSignal.any([stopping, gone.signal]);
      let told = '';
      let toldAt = Date.now();
      while (record && !signal.aborted) {
        const view: JobView = await describeJob(record, dependencies);
        const data = JSON.stringify(view);
        if (data !== told) raw.write(`event: job\ndata: ${data}\n\n`);
        else if (Date.now() - toldAt > heartbeatEveryMs) raw.write(': still here\n\n');
        if (data !== told || Date.now() - toldAt > heartbeatEveryMs) toldAt = Date.now();
        told = data;
        if (record.state !== 'accepted') break;
        await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
        // An outage is no reason to end the stream: the next look may succeed.
        record = await ledger.read(record.id).catch(() => record);
      }
      raw.end();
    },
  );

  server.post(
    '/v1/jobs/:id/cancel',
    {
      config: { scope: 'operate' },
      schema: {
        tags: ['jobs'],
        summary: 'Cancel a job that is not settled yet, and its children',
        params: parameters,
        response: { 200: jobSchema, 409: problemSchema, ...problems },
      },
    },
    async (request) => {
      const { id, state } = await existing(request.params.id);
      if ((await cancelJob(id, dependencies)).length === 0) {
        throw new ProblemError('CONFLICT', `The job is ${state} already.`);
      }
      return describeJob(await existing(id), dependencies);
    },
  );

  server.post(
    '/v1/jobs/:id/retry',
    {
      config: { scope: 'operate' },
      schema: {
        tags: ['jobs'],
        summary: 'Do a failed or cancelled job again, as a new generation',
        params: parameters,
        response: { 200: jobSchema, 409: problemSchema, ...problems },
      },
    },
    async (request) => {
      const { id, state } = await existing(request.params.id);
      if (!(await retryJob(id, dependencies))) {
        throw new ProblemError(
          'CONFLICT',
          `The job is ${state}: only failed and cancelled jobs are retried.`,
        );
      }
      return describeJob(await existing(id), dependencies);
    },
  );
}

function rowState(state: (typeof states)[number]): JobRowState {
  return state === 'running' ? 'accepted' : state;
}

async function activeIds(queues: readonly string[], { dispatcher }: JobRouteDependencies): Promise<string[]> {
  return (await Promise.all(queues.map((queue) => dispatcher.activeJobIds(queue)))).flat();
}

/** One page, newest first, and where the next one begins. */
async function readPage(
  { queue, state, since: sinceText, search, limit, cursor }: ListQuery,
  dependencies: JobRouteDependencies,
): Promise<{ records: JobRecord[]; next: string | undefined }> {
  const { ledger, queues } = dependencies;
  const since = sinceText === undefined ? undefined : new Date(sinceText);
  if (search !== undefined && state !== 'running') {
    const page = await ledger.browse({ queue, state, since, search, before: cursor, limit, searchForMs });
    const ids = page.jobs.map(({ id }) => id);
    return { records: await ledger.list({ ids, limit }), next: page.next };
  }
  const records = await ledger.list({
    limit,
    ...(queue === undefined ? {} : { queue }),
    ...(since === undefined ? {} : { since }),
    ...(search === undefined ? {} : { search }),
    ...(cursor === undefined ? {} : { before: cursor }),
    ...(state === undefined ? {} : { states: [rowState(state)] }),
    ...(state === 'running' ? { ids: await activeIds(queue ? [queue] : queues, dependencies) } : {}),
  });
  return { records, next: records.length === limit ? records.at(-1)?.id : undefined };
}
