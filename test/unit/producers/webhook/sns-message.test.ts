import * as fc from 'fast-check';
import { signedText, snsMessageSchema } from '../../../../producers/webhook/sns-message.ts';

const common = {
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: 'arn:aws:sns:us-west-2:123456789012:MyTopic',
  Message: 'Hello world!',
  Timestamp: '2012-05-02T00:54:06.655Z',
  SignatureVersion: '2',
  Signature: 'RVhBTVBMRQ==',
  SigningCertURL: 'https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb72.pem',
};
const confirmation = {
  ...common,
  Type: 'SubscriptionConfirmation' as const,
  Token: '2336412f37',
  SubscribeURL: 'https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription',
};

test('of a notification the fields that AWS lists are signed, the subject only where there is one', () => {
  const lines = [
    'Message',
    'Hello world!',
    'MessageId',
    '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    'Subject',
    'My First Message',
    'Timestamp',
    '2012-05-02T00:54:06.655Z',
    'TopicArn',
    'arn:aws:sns:us-west-2:123456789012:MyTopic',
    'Type',
    'Notification',
  ];
  const notification = { ...common, Type: 'Notification' as const };
  expect(signedText({ ...notification, Subject: 'My First Message' })).toBe(`${lines.join('\n')}\n`);
  const without = lines.toSpliced(lines.indexOf('Subject'), 2);
  expect(signedText(notification)).toBe(`${without.join('\n')}\n`);
  expect(signedText({ ...notification, Subject: null })).toBe(`${without.join('\n')}\n`);
});

test.each(['SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const)('of a %s too', (type) => {
  expect(signedText({ ...confirmation, Type: type })).toBe(
    [
      'Message',
      'Hello world!',
      'MessageId',
      '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
      'SubscribeURL',
      'https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription',
      'Timestamp',
      '2012-05-02T00:54:06.655Z',
      'Token',
      '2336412f37',
      'TopicArn',
      'arn:aws:sns:us-west-2:123456789012:MyTopic',
      'Type',
      type,
      '',
    ].join('\n'),
  );
});

test('a change of any signed field, and of no other, changes what is signed', () => {
  const text = fc.string({ unit: 'binary' });
  const fields = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn'] as const;
  const message = fc.record({
    Type: fc.constant('Notification' as const),
    Message: text,
    MessageId: text,
    Subject: fc.option(text, { nil: undefined }),
    Timestamp: text,
    TopicArn: text,
    SignatureVersion: text,
    Signature: text,
    SigningCertURL: text,
  });
  fc.assert(
    fc.property(message, fc.constantFrom(...fields), text, (original, field, value) => {
      const changed = { ...original, [field]: value };
      expect(signedText(changed) === signedText(original)).toBe(value === original[field]);
      expect(signedText({ ...original, Signature: value, SigningCertURL: value })).toBe(signedText(original));
    }),
  );
});

test.each([
  ['a message of another type', { ...confirmation, Type: 'Other' }],
  ['a confirmation without its token', { ...confirmation, Token: undefined }],
  ['a signature that is no base64', { ...confirmation, Signature: 'no!' }],
  ['a message that is no text', { ...common, Type: 'Notification', Message: {} }],
])('%s is none', (_what, message) => {
  expect(snsMessageSchema.safeParse(confirmation).success).toBe(true);
  expect(snsMessageSchema.safeParse(message).success).toBe(false);
});
