import { createHash } from 'node:crypto';
import { z } from 'zod';
import { settingGroup } from './read-settings.ts';

/** Who may deliver alerts to the webhook route; nobody when all three are empty. */
export interface WebhookSettings {
  /** Secrets of Standard Webhooks, `whsec_` and base64; several while they are rotated. */
  standardSecrets: readonly string[];
  /** Headers of EventBridge API destinations. */
  eventBridgeKeys: readonly EventBridgeKey[];
  /** ARNs of the SNS topics whose messages are taken. */
  topicArns: readonly string[];
}

export interface EventBridgeKey {
  /** The header's name in lower case. */
  header: string;
  /** Of the header's value: never the value itself. */
  sha256: Buffer;
}

const secretsRule =
  'must be a comma-separated list of standard:whsec_<base64> and eventbridge:<header>=<value>, ' +
  'for example standard:whsec_MfKQ9r8G…,eventbridge:x-presage-key=…';

type Secret = { standard: string } | { eventBridge: EventBridgeKey };

const secrets = z.string().transform((list, context): Secret[] => {
  const parsed = list.split(',').map((entry) => secretOf(entry.trim()));
  const known = parsed.filter((secret) => secret !== undefined);
  if (known.length === parsed.length) return known;
  context.addIssue({ code: 'custom', message: secretsRule });
  return z.NEVER;
});

const topicArns = z.string().transform((list, context): string[] => {
  const arns = list.split(',').map((arn) => arn.trim());
  if (arns.every((arn) => /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/.test(arn)))
    return arns;
  context.addIssue({
    code: 'custom',
    message:
      'must be a comma-separated list of ARNs of SNS topics, for example arn:aws:sns:us-east-1:123456789012:alerts',
  });
  return z.NEVER;
});

export const webhookSettings = settingGroup(
  z.object({ WEBHOOK_SECRETS: secrets.default([]), SNS_TOPIC_ARNS: topicArns.default([]) }),
  (values): WebhookSettings => ({
    standardSecrets: values.WEBHOOK_SECRETS.flatMap((secret) =>
      'standard' in secret ? [secret.standard] : [],
    ),
    eventBridgeKeys: values.WEBHOOK_SECRETS.flatMap((secret) =>
      'eventBridge' in secret ? [secret.eventBridge] : [],
    ),
    topicArns: values.SNS_TOPIC_ARNS,
  }),
);

function secretOf(entry: string): Secret | undefined {
  const standard = /^standard:(whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(
    entry,
  )?.[1];
  if (standard !== undefined && standard !== 'whsec_') return { standard };
  // A header's name, as HTTP has them, holds no equals sign: what follows the first one is the value.
  const [, header, value] = /^eventbridge:([A-Za-z0-9!#$%&'*+.^_`|~-]+)=(\S.*)$/.exec(entry) ?? [];
  if (header === undefined || value === undefined) return undefined;
  return {
    eventBridge: { header: header.toLowerCase(), sha256: createHash('sha256').update(value).digest() },
  };
}
