import { z } from 'zod';
import {
  alertEnvelopeSchema,
  alertSchema,
  alertTypes,
  churnInsight,
} from '../../../shared/contracts/churn-insight.ts';
import type { ApiServer } from '../api-server.ts';
import { ProblemError, problemSchema } from '../problem.ts';
import {
  acceptedSchema,
  submitHeadersSchema,
  submitJob,
  submitQuerySchema,
  type SubmitDependencies,
} from '../submit-job.ts';

/** Document 002's own. */
const exampleEvent = {
  version: '0',
  id: 'test-event-id',
  'detail-type': 'high_ib_call_frequency',
  source: 'iops-dashboard.processor',
  account: '123456789012',
  time: '2025-01-01T12:00:00Z',
  region: 'us-east-1',
  resources: [],
  detail: {
    alert_type: 'high_ib_call_frequency',
    severity: 'warning',
    entity_id: 'stu_4532',
    entity_type: 'student',
    details: { ib_calls_14d: 5, health_score: 65 },
    message: 'Student stu_4532 has 5 IB calls in 14 days',
    timestamp: '2025-01-01T12:00:00Z',
  },
};

export function addAlertRoutes(server: ApiServer, dependencies: SubmitDependencies): void {
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
        body: z
          .union([alertEnvelopeSchema, alertSchema])
          .meta({ examples: [exampleEvent, exampleEvent.detail] }),
        response: {
          200: churnInsight.result,
          202: acceptedSchema,
          400: problemSchema,
          401: problemSchema,
          403: problemSchema,
          409: problemSchema,
          413: problemSchema,
          415: problemSchema,
          422: problemSchema,
          429: problemSchema,
          500: problemSchema,
          503: problemSchema,
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
