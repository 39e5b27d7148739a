import { z } from 'zod';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import { queueBacklogSchema } from '../../../shared/api-contract/queue-backlog.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { MeasureBacklog } from '../create-backlog-meter.ts';

export interface ScaleRouteDependencies {
  queues: readonly string[];
  measureBacklog: MeasureBacklog;
}

/** What autoscalers ask: KEDA's `metrics-api` trigger, every few seconds for each queue. */
export function addScaleRoutes(server: HttpServer, { queues, measureBacklog }: ScaleRouteDependencies): void {
  server.get(
    '/internal/scale/:queue',
    {
      // A scaler that is told "later" holds the number of workers just when there is most to do.
      config: { rateLimit: false },
      schema: {
        tags: ['operation'],
        summary: 'How much work waits in a queue, in seconds of one worker process',
        description:
          'Measured at most once a second. 503 while Redis is away: keep as many workers as there are.',
        params: z.object({ queue: z.string().meta({ examples: ['churn-insight'] }) }),
        response: {
          200: queueBacklogSchema,
          401: problemSchema,
          403: problemSchema,
          404: problemSchema,
          503: problemSchema,
        },
      },
    },
    async (request) => {
      const { queue } = request.params;
      if (!queues.includes(queue)) throw new ProblemError('NOT_FOUND', 'There is no queue of this name.');
      return await measureBacklog(queue);
    },
  );
}
