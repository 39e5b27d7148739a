/**
 * An address that a message of SNS names, if it is one of SNS itself in the topic's own region; else undefined.
 * The region is the allowed topic's. A mere pattern for regions would let in hosts such as
 * `sns.s3-eu-west-1.amazonaws.com`, which looks like a bucket named `sns`.
 *
 * @param text the address as the message has it
 * @param topicArn of a topic that is allowed
 */
export function snsAddress(text: string, topicArn: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const [, partition, , region] = topicArn.split(':');
  const domain = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const isOfSns =
    url.protocol === 'https:' &&
    url.hostname === `sns.${region}.${domain}` &&
    url.port === '' &&
    url.username === '' &&
    url.password === '' &&
    url.hash === '';
  return isOfSns ? url : undefined;
}
