import { z } from 'zod';

const common = {
  MessageId: z.string(),
  TopicArn: z.string(),
  Message: z.string(),
  Timestamp: z.string(),
  SignatureVersion: z.string(),
  Signature: z.base64(),
  SigningCertURL: z.string(),
};

/** What SNS sends to an HTTP endpoint. */
export const snsMessageSchema = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), Subject: z.string().nullish(), ...common }),
  z.object({
    Type: z.enum(['SubscriptionConfirmation', 'UnsubscribeConfirmation']),
    Token: z.string(),
    SubscribeURL: z.string(),
    ...common,
  }),
]);

export type SnsMessage = z.output<typeof snsMessageSchema>;

/** What SNS signs: the names and values of certain fields in the order of their names, one a line. */
export function signedText(message: SnsMessage): string {
  const { Message, MessageId, Timestamp, TopicArn, Type } = message;
  const fields =
    message.Type === 'Notification'
      ? { Message, MessageId, Subject: message.Subject, Timestamp, TopicArn, Type }
      : {
          Message,
          MessageId,
          SubscribeURL: message.SubscribeURL,
          Timestamp,
          Token: message.Token,
          TopicArn,
          Type,
        };
  return Object.entries(fields)
    .map(([name, value]) => (typeof value === 'string' ? `${name}\n${value}\n` : ''))
    .join('');
}
