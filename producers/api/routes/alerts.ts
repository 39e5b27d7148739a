import { z } from 'zod';
import { alertBodySchema, alertTypes, churnInsight } from '../../../shared/contracts/churn-insight.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import {
  submitHeadersSchema,
  submitJob,
  submitQuerySchema,
  submitResponses,
  type SubmitDependencies,
} from '../submit-job.ts';

export function addAlertRoutes(server: HttpServer, dependencies: SubmitDependencies): void {
  server.post(
    '/v1/alerts',
    {
      config: { scope: 'produce' },
      schema: {
        tags: ['insights'],
        summary: 'Explain the risk that an alert is about',
        description: 'The alert, or an event of EventBridge around it. Sent again, it is the same job.',
        querystring: submitQuerySchema,
        headers: submitHeadersSchema,
        body: alertBodySchema,
        response: {
          200: churnInsight.result,
          ...submitResponses,
        },
      },
    },
    async (request, reply) => {
      refuseUnknownType(request.body);
      await submitJob(churnInsight, request, reply, request.query.wait_ms ?? 0, dependencies);
    },
  );
}

const bodyWithType = z.union([
  z.object({ detail: z.object({ alert_type: z.string() }) }),
  z.object({ detail: z.never().optional(), alert_type: z.string() }),
]);

/**
 * Whoever calls the API is told at once that a type is not known. The queue itself takes it: from a sender who would
 * not send it again, it is kept as a failure.
 */
function refuseUnknownType(body: unknown): void {
  const parsed = bodyWithType.safeParse(body).data;
  if (parsed === undefined) return;
  const isEvent = parsed.detail !== undefined;
  const type = isEvent ? parsed.detail.alert_type : parsed.alert_type;
  if (alertTypes.some((known) => known === type)) return;
  throw new ProblemError('VALIDATION_ERROR', 'The type of the alert is not known.', {
    errors: [
      {
        pointer: isEvent ? '#/detail/alert_type' : '#/alert_type',
        detail: `must be one of ${alertTypes.join(', ')}`,
      },
    ],
  });
}
