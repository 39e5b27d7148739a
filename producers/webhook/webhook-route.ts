import { isUtf8 } from 'node:buffer';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { alertBodySchema, churnInsight } from '../../shared/contracts/churn-insight.ts';
import { AccessDenied } from '../../shared/http-access/add-access-control.ts';
import type { QueueLimit } from '../../shared/queue/create-queue-limit.ts';
import type { Enqueue } from '../../shared/queue/enqueue.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { authenticateDelivery, type AuthenticationOptions, type Delivery } from './authenticate-delivery.ts';
import { confirmSubscription } from './confirm-subscription.ts';
import type { FetchText } from './fetch-text.ts';
import { recogniseSender, type Sender } from './recognise-sender.ts';

export interface WebhookRouteDependencies extends AuthenticationOptions {
  /** Nobody has to prove who they are: there are neither API keys nor senders. */
  isOpen: boolean;
  enqueue: Pick<Enqueue, 'enqueue'>;
  queueLimit: QueueLimit;
  fetchText: FetchText;
  /** The W3C trace context in which a request is dealt with. */
  traceparentOf: (request: FastifyRequest) => string | undefined;
  /** How the server describes its answers. */
  answers: { accepted: z.ZodType; problem: z.ZodType };
  metrics: Pick<Metrics, 'webhookDeliveries'>;
  log: Logger;
}

/** What became of a delivery, as in the metrics. */
type Outcome =
  | 'accepted'
  | 'duplicate'
  | 'confirmed'
  | 'unsubscribed'
  | 'unauthenticated'
  | 'invalid'
  | 'refused'
  | 'unavailable';

declare module 'fastify' {
  interface FastifyRequest {
    deliveryOutcome?: Outcome;
  }
}

/** Well above what EventBridge and SNS send, also with its quotes escaped: what is refused for its size is lost. */
const bodyLimitBytes = 2 * 1024 * 1024;

const subscriptionSchema = z.object({ state: z.enum(['confirmed', 'unsubscribed']) });

/** `POST /webhooks/alerts`. A scope of its own, because signatures are of the bytes that arrive. */
export async function addWebhookRoute(
  server: FastifyInstance,
  dependencies: WebhookRouteDependencies,
): Promise<void> {
  const { settings, isOpen, enqueue, queueLimit, metrics, log } = dependencies;
  const { accepted, problem } = dependencies.answers;
  const senderOf = (request: FastifyRequest): Sender => recogniseSender(request.headers, settings, isOpen);

  async function logged<Result>(request: FastifyRequest, work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      const about = { request_id: request.id, sender: senderOf(request) };
      if (error instanceof AccessDenied)
        log.info({ ...about, reason: error.message }, 'a delivery was refused');
      else log.warn({ ...about, err: error }, 'a delivery could not be checked or confirmed');
      throw error;
    }
  }

  await server.register(async (scope) => {
    scope.decorateRequest('deliveryOutcome');
    scope.removeAllContentTypeParsers();
    const types = ['application/json', 'application/cloudevents+json', 'text/plain'];
    scope.addContentTypeParser<Buffer>(types, { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    // Once per delivery, also of one whose body was never read.
    scope.addHook('onResponse', async (request, reply) => {
      const outcome = request.deliveryOutcome ?? outcomeOf(reply.statusCode);
      metrics.webhookDeliveries.inc({ sender: senderOf(request), outcome });
    });

    scope.post(
      '/webhooks/alerts',
      {
        bodyLimit: bodyLimitBytes,
        config: { scope: isOpen ? 'produce' : 'sender' },
        schema: {
          tags: ['webhooks'],
          summary: 'Deliver an alert',
          description:
            'For senders that prove by their own means who they are: a Standard Webhooks signature, the key of an ' +
            'API destination of EventBridge, or SNS (signature version 2). The same alert delivered again is ' +
            'answered with its first job.',
          consumes: ['application/json', 'text/plain'],
          body: alertBodySchema,
          response: {
            200: subscriptionSchema.meta({ description: 'A message of SNS about the subscription itself' }),
            202: accepted,
            400: problem,
            401: problem,
            403: problem,
            413: problem,
            415: problem,
            422: problem,
            429: problem,
            500: problem,
            503: problem,
          },
        },
      },
      async (request, reply) => {
        const sender = senderOf(request);
        // A web page may send plain text anywhere without being asked whether it may.
        const type = request.headers['content-type'];
        if (sender !== 'sns' && type !== undefined && /^\s*text\/plain/i.test(type)) {
          throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(type);
        }
        const body = bytesOf(request);
        const delivery = await logged(
          request,
          authenticateDelivery(sender, request.headers, body, dependencies),
        );
        if (delivery.kind === 'subscription') {
          const state = await logged(request, settleSubscription(delivery.message, dependencies));
          request.deliveryOutcome = state;
          return reply.code(200).send({ state });
        }
        await queueLimit.assertRoom(churnInsight.name);
        const traceparent = dependencies.traceparentOf(request);
        const job = await enqueue.enqueue(churnInsight, parseJson(delivery.json), {
          requestId: request.id,
          ...(traceparent === undefined ? {} : { traceparent }),
        });
        request.deliveryOutcome = job.created ? 'accepted' : 'duplicate';
        const statusUrl = `/v1/jobs/${job.id}`;
        return reply
          .code(202)
          .header('location', statusUrl)
          .send({ job_id: job.id, queue: churnInsight.name, state: 'accepted', status_url: statusUrl });
      },
    );
  });
}

async function settleSubscription(
  message: Extract<Delivery, { kind: 'subscription' }>['message'],
  { fetchText, log }: WebhookRouteDependencies,
): Promise<'confirmed' | 'unsubscribed'> {
  if (message.Type === 'UnsubscribeConfirmation') {
    log.warn({ topic: message.TopicArn }, 'SNS delivers messages of this topic no longer: unsubscribed');
    return 'unsubscribed';
  }
  await confirmSubscription(message, fetchText);
  log.info({ topic: message.TopicArn }, 'the subscription to this topic of SNS is confirmed');
  return 'confirmed';
}

function bytesOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function parseJson(json: Buffer): unknown {
  if (!isUtf8(json)) throw new errorCodes.FST_ERR_CTP_INVALID_JSON_BODY();
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    throw new errorCodes.FST_ERR_CTP_INVALID_JSON_BODY();
  }
}

function outcomeOf(status: number): Outcome {
  if (status === 401 || status === 403) return 'unauthenticated';
  if (status === 429) return 'refused';
  return status >= 500 ? 'unavailable' : 'invalid';
}
