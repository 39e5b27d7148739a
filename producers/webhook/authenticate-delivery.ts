import type { IncomingHttpHeaders } from 'node:http';
import type { WebhookSettings } from '../../shared/config/webhook-settings.ts';
import { AccessDenied } from '../../shared/http-access/add-access-control.ts';
import type { SigningCertificates } from './create-signing-certificates.ts';
import type { Sender } from './recognise-sender.ts';
import type { SnsMessage } from './sns-message.ts';
import { verifyEventBridge } from './verify-event-bridge.ts';
import { verifySnsMessage } from './verify-sns-message.ts';
import { verifyStandardWebhook } from './verify-standard-webhook.ts';

/** What was delivered, from a sender who has proved who it is. */
export type Delivery =
  | { kind: 'alert'; json: Buffer }
  | { kind: 'subscription'; message: Exclude<SnsMessage, { Type: 'Notification' }> };

export interface AuthenticationOptions {
  settings: WebhookSettings;
  certificates: SigningCertificates;
}

/**
 * Checks that a delivery is from whom it claims to be from, by that sender's own means.
 *
 * @throws AccessDenied with what is missing or does not fit; SnsUnreachableError
 */
export async function authenticateDelivery(
  sender: Sender,
  headers: IncomingHttpHeaders,
  body: Buffer,
  { settings, certificates }: AuthenticationOptions,
): Promise<Delivery> {
  switch (sender) {
    case 'open':
      break;
    case 'standard':
      if (settings.standardSecrets.length === 0) {
        refuse('Standard Webhooks are not configured: WEBHOOK_SECRETS has no standard:whsec_… in it.');
      }
      verifyStandardWebhook(headers, body, settings.standardSecrets);
      break;
    case 'eventbridge':
      verifyEventBridge(headers, settings.eventBridgeKeys);
      break;
    case 'sns': {
      if (settings.topicArns.length === 0) refuse('SNS is not configured: SNS_TOPIC_ARNS names no topic.');
      if (headers['x-amz-sns-rawdelivery'] === 'true') {
        refuse('Raw messages of SNS carry no signature: switch RawMessageDelivery off.');
      }
      const message = await verifySnsMessage(body, settings.topicArns, certificates);
      if (message.Type !== 'Notification') return { kind: 'subscription', message };
      return { kind: 'alert', json: Buffer.from(message.Message, 'utf8') };
    }
    case 'unknown':
      refuse(howToProve(settings));
  }
  return { kind: 'alert', json: body };
}

function howToProve({ standardSecrets, eventBridgeKeys, topicArns }: WebhookSettings): string {
  const ways = [
    ...(standardSecrets.length > 0 ? ['the signature of a Standard Webhook (webhook-signature)'] : []),
    ...(eventBridgeKeys.length > 0 ? ['the key of an API destination of EventBridge'] : []),
    ...(topicArns.length > 0 ? ['a signed message of SNS'] : []),
  ];
  if (ways.length > 0) return `This route needs ${ways.join(' or ')}; it takes no API key.`;
  return 'No sender is configured: set WEBHOOK_SECRETS or SNS_TOPIC_ARNS. This route takes no API key.';
}

function refuse(reason: string): never {
  throw new AccessDenied('unauthenticated', reason);
}
