import type { IncomingHttpHeaders } from 'node:http';
import type { WebhookSettings } from '../../shared/config/webhook-settings.ts';

/** Who delivers, by the headers; `open` where nobody has to prove who they are. As in the metrics. */
export type Sender = 'standard' | 'eventbridge' | 'sns' | 'open' | 'unknown';

/**
 * Says who a delivery claims to be from, which proves nothing yet.
 *
 * @param isOpen nobody has to prove who they are. Messages of SNS are told apart even then, because they wrap the
 *   alert and may ask for a subscription to be confirmed
 */
export function recogniseSender(
  headers: IncomingHttpHeaders,
  { eventBridgeKeys }: Pick<WebhookSettings, 'eventBridgeKeys'>,
  isOpen: boolean,
): Sender {
  if (headers['webhook-signature'] !== undefined) return isOpen ? 'open' : 'standard';
  if (headers['x-amz-sns-message-type'] !== undefined) return 'sns';
  if (isOpen) return 'open';
  if (eventBridgeKeys.some(({ header }) => headers[header] !== undefined)) return 'eventbridge';
  // Without its signature a Standard Webhook is told what it lacks.
  return headers['webhook-id'] === undefined ? 'unknown' : 'standard';
}
