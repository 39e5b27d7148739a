import { snsAddress } from '../../../../producers/webhook/sns-address.ts';

const topic = 'arn:aws:sns:eu-west-1:123456789012:alerts';

test.each([
  ['https://sns.eu-west-1.amazonaws.com/a.pem', topic],
  ['https://SNS.eu-west-1.amazonaws.com:443/a.pem', topic],
  ['https://sns.us-gov-west-1.amazonaws.com/a.pem', 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:alerts'],
  ['https://sns.cn-north-1.amazonaws.com.cn/a.pem', 'arn:aws-cn:sns:cn-north-1:123456789012:alerts'],
])('%s is an address of SNS', (url, arn) => {
  expect(snsAddress(url, arn)?.pathname).toBe('/a.pem');
});

test.each([
  'http://sns.eu-west-1.amazonaws.com/a.pem',
  'ftp://sns.eu-west-1.amazonaws.com/a.pem',
  'https://sns.eu-west-2.amazonaws.com/a.pem',
  'https://sns.eu-west-1.amazonaws.com.cn/a.pem',
  'https://sns.eu-west-1.amazonaws.com.evil.com/a.pem',
  'https://sns.eu-west-1.amazonaws.com./a.pem',
  'https://sns.eu-west-1.amazonaws.comevil.com/a.pem',
  'https://sns-eu-west-1.amazonaws.com/a.pem',
  'https://snsxeu-west-1.amazonaws.com/a.pem',
  'https://evil.sns.eu-west-1.amazonaws.com/a.pem',
  'https://sns.s3-eu-west-1.amazonaws.com/a.pem',
  'https://sns.eu-west-1.amazonaws.com@evil.com/a.pem',
  'https://user@sns.eu-west-1.amazonaws.com/a.pem',
  'https://:password@sns.eu-west-1.amazonaws.com/a.pem',
  'https://evil.com\\@sns.eu-west-1.amazonaws.com/a.pem',
  'https://evil.com#sns.eu-west-1.amazonaws.com/a.pem',
  'https://sns.eu-west-1.amazonaws.com/a.pem#b',
  'https://sns.eu-west-1.amazonaws.com:444/a.pem',
  'https://xn--ss-9ka.eu-west-1.amazonaws.com/a.pem',
  'sns.eu-west-1.amazonaws.com/a.pem',
  '//sns.eu-west-1.amazonaws.com/a.pem',
  '',
])('%j is none', (url) => {
  expect(snsAddress(url, topic)).toBeUndefined();
});
