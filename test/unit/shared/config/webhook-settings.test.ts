import { createHash } from 'node:crypto';
import { ConfigurationError, readSettings } from '../../../../shared/config/read-settings.ts';
import { webhookSettings, type WebhookSettings } from '../../../../shared/config/webhook-settings.ts';

function read(environment: Record<string, string>): WebhookSettings {
  return readSettings({ webhook: webhookSettings }, environment).webhook;
}

test('nobody may deliver unless somebody is named', () => {
  expect(read({})).toEqual({ standardSecrets: [], eventBridgeKeys: [], topicArns: [] });
});

test('several of each are read; of the keys of EventBridge only a hash is kept', () => {
  const settings = read({
    WEBHOOK_SECRETS:
      'standard:whsec_c2VjcmV0LTE=, eventbridge:X-Key=a=b:c==,standard:whsec_c2VjcmV0LTIy,eventbridge:x-key=d e',
    SNS_TOPIC_ARNS: 'arn:aws:sns:us-east-1:123456789012:alerts, arn:aws-cn:sns:cn-north-1:123456789012:A_b-1',
  });
  const sha256 = (text: string) => createHash('sha256').update(text).digest();
  expect(settings).toEqual({
    standardSecrets: ['whsec_c2VjcmV0LTE=', 'whsec_c2VjcmV0LTIy'],
    eventBridgeKeys: [
      { header: 'x-key', sha256: sha256('a=b:c==') },
      { header: 'x-key', sha256: sha256('d e') },
    ],
    topicArns: ['arn:aws:sns:us-east-1:123456789012:alerts', 'arn:aws-cn:sns:cn-north-1:123456789012:A_b-1'],
  });
});

test.each([
  'whsec_c2VjcmV0',
  'standard:c2VjcmV0',
  'standard:whsec_',
  'standard:whsec_c2VjcmV',
  'standard:whsec_c2Vj_cmV0',
  'eventbridge:hidden-word',
  'eventbridge:=hidden-word',
  'eventbridge:x-key=',
  'eventbridge:x key=hidden-word',
  'github:hidden-word',
  'standard:whsec_c2VjcmV0,',
])('the secrets %j are refused, and not repeated', (value) => {
  expect(() => read({ WEBHOOK_SECRETS: value })).toThrow(ConfigurationError);
  expect(() => read({ WEBHOOK_SECRETS: value })).toThrow('WEBHOOK_SECRETS: must be a comma-separated list');
  expect(() => read({ WEBHOOK_SECRETS: value })).not.toThrow(/hidden-word|c2V/);
});

test.each([
  'alerts',
  'arn:aws:sqs:us-east-1:123456789012:alerts',
  'arn:aws:sns:us-east-1:1234:alerts',
  'arn:aws:sns:us-east-1:123456789012:alerts:0ffb2b65-subscription',
  'arn:aws:sns:us-east-1:123456789012:alerts,,',
])('the topics %j are refused', (value) => {
  expect(() => read({ SNS_TOPIC_ARNS: value })).toThrow('SNS_TOPIC_ARNS: must be');
});
