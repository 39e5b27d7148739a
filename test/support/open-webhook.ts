import { createHmac } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import type { HttpServer } from '../../shared/http/http-server.ts';
import { buildServer, type ApiOptions } from '../../producers/api/build-server.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { webhookSettings } from '../../shared/config/webhook-settings.ts';
import { churnInsight } from '../../shared/contracts/churn-insight.ts';
import type { JobRecord } from '../../shared/ledger/job-record.ts';
import { apiOptions } from './api-options.ts';
import type { FakeSns } from './create-fake-sns.ts';
import { openTestFleet, type TestFleet } from './open-test-fleet.ts';

export interface WebhookOptions {
  /** `WEBHOOK_SECRETS` and `SNS_TOPIC_ARNS` */
  environment?: Record<string, string>;
  sns?: FakeSns;
  fleet?: TestFleet;
  changes?: Partial<ApiOptions>;
}

export type Answer = Pick<LightMyRequestResponse, 'statusCode' | 'headers' | 'body' | 'json'>;

/** The API with its webhook route, on stores of its own. */
export interface OpenWebhook extends AsyncDisposable {
  fleet: TestFleet;
  server: HttpServer;
  deliver(body: unknown, headers?: Record<string, string>): Promise<Answer>;
  jobs(): Promise<JobRecord[]>;
  /** How many deliveries there were, by `sender outcome`. */
  deliveries(): Promise<Record<string, number>>;
}

export async function openWebhook(options: WebhookOptions = {}): Promise<OpenWebhook> {
  const resources = new AsyncDisposableStack();
  const fleet = options.fleet ?? resources.use(await openTestFleet([churnInsight]));
  const settings = readSettings({ webhook: webhookSettings }, options.environment ?? {}).webhook;
  const fetchText = options.sns?.fetchText;
  const webhook = { settings, ...(fetchText ? { fetchText } : {}) };
  const server = resources.use(await buildServer(apiOptions(fleet, { webhook, ...options.changes })));
  return {
    fleet,
    server,
    deliver: (body, headers = {}) =>
      server.inject({
        method: 'POST',
        url: '/webhooks/alerts',
        headers: { 'content-type': 'application/json', ...headers },
        payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      }),
    jobs: () => fleet.ledger.list({ limit: 500 }),
    async deliveries() {
      const { values } = await fleet.metrics.webhookDeliveries.get();
      return Object.fromEntries(
        values.map(({ labels, value }) => [`${labels.sender} ${labels.outcome}`, value]),
      );
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

export interface StandardSignature {
  secret: string;
  id?: string;
  /** Seconds since 1970. */
  timestamp?: number;
}

/** The headers of a Standard Webhook, made as its specification says. */
export function signStandard(
  body: string,
  { secret, id = 'msg_1', timestamp = Math.floor(Date.now() / 1_000) }: StandardSignature,
): Record<string, string> {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
}
