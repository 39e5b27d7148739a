import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { AccessDenied } from '../../shared/http-access/add-access-control.ts';

const toleranceSeconds = 5 * 60;

/**
 * Checks a signature of Standard Webhooks 1.0 over the bytes that arrived, against every secret.
 *
 * @throws AccessDenied when a header is missing, the timestamp is more than 5 minutes off, the body is no text, or no
 *   signature fits
 */
export function verifyStandardWebhook(
  headers: IncomingHttpHeaders,
  body: Buffer,
  secrets: readonly string[],
): void {
  const signed = {
    'webhook-id': textOf(headers, 'webhook-id'),
    'webhook-timestamp': textOf(headers, 'webhook-timestamp'),
    'webhook-signature': textOf(headers, 'webhook-signature'),
  };
  // The library checks the time too, but tells late from early in the words of its message only.
  const timestamp = signed['webhook-timestamp'];
  const ageSeconds = /^\d{1,12}$/.test(timestamp) ? Math.floor(Date.now() / 1_000) - Number(timestamp) : NaN;
  if (Number.isNaN(ageSeconds)) refuse('The header webhook-timestamp must be in seconds since 1970.');
  if (ageSeconds > toleranceSeconds) {
    refuse('The header webhook-timestamp is more than 5 minutes ago: the delivery is late or sent again.');
  }
  if (ageSeconds < -toleranceSeconds) {
    refuse('The header webhook-timestamp is more than 5 minutes ahead of the clock here.');
  }
  // The library signs the body as text, in which bytes that are no UTF-8 all look the same.
  if (!isUtf8(body)) refuse('The body is not UTF-8.');
  // Every secret is tried, so that the time taken does not say which one it was.
  const fitting = secrets.filter((secret) => fits(new Webhook(secret), body, signed));
  if (fitting.length === 0) refuse('The header webhook-signature fits no secret that is configured.');
}

function fits(webhook: Webhook, body: Buffer, signed: Record<string, string>): boolean {
  try {
    webhook.verify(body, signed, { jsonParse: false });
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

function textOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  if (typeof value === 'string' && value !== '') return value;
  return refuse(`A Standard Webhook needs the header ${name}.`);
}

function refuse(reason: string): never {
  throw new AccessDenied('unauthenticated', reason);
}
