import { z } from 'zod';
import type { Ledger } from '../../../shared/ledger/open-ledger.ts';
import { describeJob, jobViewSchema } from '../../../shared/queue/describe-job.ts';
import type { Dispatcher } from '../../../shared/queue/open-dispatcher.ts';
import type { ApiServer } from '../api-server.ts';
import { ProblemError, problemSchema } from '../problem.ts';

export interface JobRouteDependencies {
  ledger: Pick<Ledger, 'read' | 'childProgress'>;
  dispatcher: Pick<Dispatcher, 'stateOf' | 'progressOf'>;
}

const jobIdSchema = z.uuid();

export function addJobRoutes(server: ApiServer, dependencies: JobRouteDependencies): void {
  server.get(
    '/v1/jobs/:id',
    {
      schema: {
        tags: ['jobs'],
        summary: 'A job: its state, progress, result or error',
        params: z.object({ id: z.string() }),
        response: { 200: jobViewSchema.meta({ id: 'Job' }), 404: problemSchema, 503: problemSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const record = jobIdSchema.safeParse(id).success ? await dependencies.ledger.read(id) : undefined;
      if (!record) throw new ProblemError('NOT_FOUND', 'There is no job with this id.');
      return describeJob(record, dependencies);
    },
  );
}
