import { z } from 'zod';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import { storedCallTimeSchema, type StoredCallTime } from '../../../shared/api-contract/stored-call-time.ts';
import { callTimePrediction, exampleContacts } from '../../../shared/contracts/call-time-prediction.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import {
  submitHeadersSchema,
  submitJob,
  submitQuerySchema,
  submitResponses,
  type SubmitDependencies,
} from '../submit-job.ts';

export interface CallTimeRouteDependencies extends SubmitDependencies {
  /** The newest prediction that a worker wrote for the number. */
  findCallTime: (phoneNumber: string) => Promise<StoredCallTime | undefined>;
}

const problems = {
  401: problemSchema,
  403: problemSchema,
  404: problemSchema,
  422: problemSchema,
  500: problemSchema,
  503: problemSchema,
};

export function addCallTimeRoutes(server: HttpServer, dependencies: CallTimeRouteDependencies): void {
  server.post(
    '/v1/call-times',
    {
      config: { scope: 'produce' },
      schema: {
        tags: ['call times'],
        summary: 'Predict when to call each contact',
        querystring: submitQuerySchema,
        headers: submitHeadersSchema,
        body: callTimePrediction.payload.meta({ examples: [exampleContacts] }),
        response: {
          200: callTimePrediction.result,
          ...submitResponses,
        },
      },
    },
    (request, reply) =>
      submitJob(callTimePrediction, request, reply, request.query.wait_ms ?? 0, dependencies),
  );

  server.get(
    '/v1/call-times/:phone',
    {
      schema: {
        tags: ['call times'],
        summary: 'The newest prediction for a phone number',
        params: z.object({
          phone: z.string().regex(/^\+[1-9]\d{1,14}$/, {
            error: 'must be a phone number in E.164 form, its + written as %2B or +',
          }),
        }),
        response: { 200: storedCallTimeSchema, ...problems },
      },
    },
    async (request) => {
      const found = await dependencies.findCallTime(request.params.phone);
      if (!found) throw new ProblemError('NOT_FOUND', 'Nothing has been predicted for this phone number.');
      return found;
    },
  );
}
