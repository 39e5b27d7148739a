import type { FastifyInstance } from 'fastify';
import type { WebhookSettings } from '../../shared/config/webhook-settings.ts';
import { createSigningCertificates } from './create-signing-certificates.ts';
import { fetchText, type FetchText } from './fetch-text.ts';
import { addWebhookRoute, type WebhookRouteDependencies } from './webhook-route.ts';

export interface WebhookOptions extends Omit<
  WebhookRouteDependencies,
  'isOpen' | 'certificates' | 'fetchText'
> {
  settings: WebhookSettings;
  /** Whether the other routes ask for an API key. */
  asksForKeys: boolean;
  /** How SNS is asked for its certificates and told of confirmations. */
  fetchText?: FetchText;
}

/**
 * Adds the route that takes alerts from senders that hold no API key. Where there are neither API keys nor senders
 * it is open like every other route; as soon as there is one of them, every delivery has to be authenticated.
 */
export async function addWebhooks(server: FastifyInstance, options: WebhookOptions): Promise<void> {
  const { settings, asksForKeys, fetchText: fetchFromSns = fetchText, ...rest } = options;
  const senders = [settings.standardSecrets, settings.eventBridgeKeys, settings.topicArns];
  await addWebhookRoute(server, {
    ...rest,
    settings,
    isOpen: !asksForKeys && senders.every((known) => known.length === 0),
    fetchText: fetchFromSns,
    certificates: createSigningCertificates(fetchFromSns),
  });
}
