import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { buildServer } from '../../producers/api/build-server.ts';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { usageAttributes } from '../../shared/text-generation/call-attributes.ts';
import { openTracing } from '../../shared/telemetry/open-tracing.ts';
import { apiOptions } from '../support/api-options.ts';
import { openTestFleet, testRedisSettings } from '../support/open-test-fleet.ts';

const exportSchema = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              name: z.string(),
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              attributes: z.array(z.object({ key: z.string(), value: z.looseObject({}) })),
              status: z.object({ code: z.number().optional() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

let collector: Server;
let url: string;
const bodies: unknown[] = [];
beforeAll(async () => {
  async function collect(request: IncomingMessage, response: ServerResponse): Promise<void> {
    bodies.push(await json(request));
    response.setHeader('content-type', 'application/json').end('{}');
  }
  collector = createServer((request, response) => void collect(request, response)).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const address = collector.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}/v1/traces`;
});
afterAll(async () => {
  collector.closeAllConnections();
  collector.close();
  await once(collector, 'close');
});

test('one trace leads from the request through the queue and the worker to the vendor', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  {
    await using tracing = openTracing('test', { tracesUrl: url, serviceName: undefined });
    await using fleet = await openTestFleet([callTimePrediction], testRedisSettings(), tracing);
    await using server = await buildServer(apiOptions(fleet));
    fleet.consume(callTimePrediction, {
      async start(_payload, { trace }) {
        await trace('InvokeEndpoint', (span) => {
          span.set(
            usageAttributes({ inputTokens: 5, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 0 }),
          );
          return Promise.resolve('answer');
        });
        return { predictions: [], errors: [] };
      },
    });
    const response = await server.inject({
      method: 'POST',
      url: '/v1/call-times?wait_ms=30000',
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
      payload: { contacts: [{ id: 'a', phoneNumber: '+972501234567' }] },
    });
    expect(response.statusCode).toBe(200);
  }
  const spans = bodies
    .flatMap((body) => exportSchema.parse(body).resourceSpans)
    .flatMap((resource) => resource.scopeSpans)
    .flatMap((scope) => scope.spans);
  const byName = new Map(spans.map((span) => [span.name, span]));
  const request = byName.get('POST /v1/call-times');
  const job = byName.get('process call-time-prediction');
  const call = byName.get('InvokeEndpoint');
  expect(spans.map((span) => span.traceId)).toEqual([traceId, traceId, traceId]);
  expect(request?.parentSpanId).toBe('00f067aa0ba902b7');
  expect(job?.parentSpanId).toBe(request?.spanId);
  expect(call?.parentSpanId).toBe(job?.spanId);
  expect(call?.attributes).toContainEqual({ key: 'gen_ai.usage.input_tokens', value: { intValue: 8 } });
  expect(JSON.stringify(bodies)).not.toContain('97250');
});
