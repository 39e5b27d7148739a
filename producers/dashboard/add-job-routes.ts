import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { JobRecord } from '../../shared/ledger/job-record.ts';
import type { Ledger } from '../../shared/ledger/open-ledger.ts';
import { describeJob } from '../../shared/queue/describe-job.ts';
import type { Dispatcher } from '../../shared/queue/open-dispatcher.ts';
import type { ReadOnlyQueues } from '../../shared/queue/open-read-only-queues.ts';
import { cancelJob, retryJob, type SteeringClients } from '../../shared/queue/steer-job.ts';
import { jobListQuerySchema, listedStates } from './job-list-query.ts';
import { PageError } from './page-error.ts';
import { jobListPage } from './pages/job-list-page.ts';
import { jobPage } from './pages/job-page.ts';

export interface JobRouteDependencies extends SteeringClients {
  ledger: Pick<Ledger, 'browse' | 'cancel' | 'childProgress' | 'read' | 'reopen'>;
  dispatcher: Pick<Dispatcher, 'dispatch' | 'progressOf' | 'stateOf'>;
  readOnlyQueues: ReadOnlyQueues;
}

const jobsPerPage = 50;
const searchForMs = 3_000;

const jobIdSchema = z.uuid();
const parametersSchema = z.object({ id: z.string() });

/** The ledger for people: a list that can be searched, and a page for each job, from which it is steered. */
export function addJobRoutes(server: FastifyInstance, dependencies: JobRouteDependencies): void {
  const { ledger, readOnlyQueues } = dependencies;
  const queues = readOnlyQueues.queues.map(({ name }) => name);

  async function existing(parameters: unknown): Promise<JobRecord> {
    const { id } = parametersSchema.parse(parameters);
    const record = jobIdSchema.safeParse(id).success ? await ledger.read(id) : undefined;
    if (!record) throw new PageError(404, 'There is no job with this id in the ledger.');
    return record;
  }

  server.get('/jobs', async (request, reply) => {
    const parsed = jobListQuerySchema.safeParse(request.query);
    if (!parsed.success) throw new PageError(400, 'The address of this list is not one of ours.');
    const query = parsed.data;
    const { search, queue, state, parent, before } = query;
    // Who has a job's id wants that job, and not to wait until it turns up in the list.
    if (jobIdSchema.safeParse(search).success && search !== undefined && (await ledger.read(search))) {
      return reply.redirect(jobPath(search), 303);
    }
    const page = await ledger.browse({
      search,
      queue,
      state: state === 'open' ? 'accepted' : state,
      parentId: parent,
      before,
      limit: jobsPerPage,
      searchForMs,
    });
    const jobs = await Promise.all(
      page.jobs.map(async (job) => {
        const view = await describeJob({ ...job, payload: null, result: null }, dependencies);
        return { job, state: view.state };
      }),
    );
    return sendPage(reply, jobListPage({ ...page, jobs, query }, { queues, states: listedStates }));
  });

  server.get('/jobs/:id', async (request, reply) => {
    const record = await existing(request.params);
    const [view, children, trace] = await Promise.all([
      describeJob(record, dependencies),
      ledger.childProgress(record.id),
      // Redis away: the ledger alone answers.
      readOnlyQueues.trace(record).catch(() => undefined),
    ]);
    return sendPage(reply, jobPage({ record, view, trace, children }));
  });

  server.post('/jobs/:id/retry', async (request, reply) => {
    const { id, state } = await existing(request.params);
    if (!(await retryJob(id, dependencies))) {
      throw new PageError(409, `The job is ${state}: only failed and cancelled jobs are retried.`);
    }
    return reply.redirect(jobPath(id), 303);
  });

  server.post('/jobs/:id/cancel', async (request, reply) => {
    const { id, state } = await existing(request.params);
    if ((await cancelJob(id, dependencies)).length === 0) {
      throw new PageError(409, `The job is ${state} already.`);
    }
    return reply.redirect(jobPath(id), 303);
  });
}

function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}
