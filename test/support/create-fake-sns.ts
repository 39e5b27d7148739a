import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { FetchedText } from '../../producers/webhook/fetch-text.ts';
import { makeCertificate } from './make-certificate.ts';

export const topicArn = 'arn:aws:sns:eu-west-1:123456789012:alerts';
const host = 'https://sns.eu-west-1.amazonaws.com';
export const certificateUrl = `${host}/SimpleNotificationService-0123456789abcdef.pem`;
const dayMs = 24 * 60 * 60_000;

export type SnsFields = Record<string, string>;

/** What stands in for SNS: it signs messages, and answers requests for its certificate and for confirmations. */
export interface FakeSns {
  /** A message as SNS delivers it, signed; `changes` are signed too. */
  notification(message: unknown, changes?: SnsFields): SnsFields;
  subscription(type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation', changes?: SnsFields): SnsFields;
  /** Every address that was asked for. */
  fetched: string[];
  fetchText: (url: URL) => Promise<FetchedText>;
  /** What the next requests are answered with, instead of the certificate or a confirmation. */
  answerWith(answer: (() => Promise<FetchedText>) | undefined): void;
  /** A certificate of the same key that is valid from then on, for a day. */
  certificateFrom(validFrom: Date): string;
}

const signer = 'sns.amazonaws.com';

const signedFields = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  others: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};

export function createFakeSns(): FakeSns {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificateFrom = (validFrom: Date): string =>
    makeCertificate({
      name: signer,
      publicKey,
      issuer: { name: signer, privateKey },
      validFrom,
      validTo: new Date(validFrom.getTime() + dayMs),
    });
  const certificate = certificateFrom(new Date(Date.now() - dayMs / 2));
  const fetched: string[] = [];
  let answer: (() => Promise<FetchedText>) | undefined;

  function signed(fields: SnsFields): SnsFields {
    const names = fields['Type'] === 'Notification' ? signedFields.Notification : signedFields.others;
    const text = names
      .filter((name) => fields[name] !== undefined)
      .map((name) => `${name}\n${fields[name]}\n`)
      .join('');
    return { ...fields, Signature: sign('sha256', Buffer.from(text), privateKey).toString('base64') };
  }
  const common = () => ({
    MessageId: randomUUID(),
    TopicArn: topicArn,
    Timestamp: new Date().toISOString(),
    SignatureVersion: '2',
    SigningCertURL: certificateUrl,
  });

  return {
    notification: (message, changes = {}) =>
      signed({
        Type: 'Notification',
        ...common(),
        Message: typeof message === 'string' ? message : JSON.stringify(message),
        UnsubscribeURL: `${host}/?Action=Unsubscribe`,
        ...changes,
      }),
    subscription: (type, changes = {}) =>
      signed({
        Type: type,
        ...common(),
        Message: 'You have chosen to subscribe to the topic.',
        Token: '2336412f37fb687f5d51e6e2425dacbbaac',
        SubscribeURL: `${host}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=2336412f37fb687f5d51e6e2425dacbbaac`,
        ...changes,
      }),
    fetched,
    fetchText(url) {
      fetched.push(url.href);
      if (answer) return answer();
      const text = url.pathname.endsWith('.pem') ? certificate : '<ConfirmSubscriptionResponse/>';
      return Promise.resolve({ status: 200, text });
    },
    answerWith: (next) => {
      answer = next;
    },
    certificateFrom,
  };
}
