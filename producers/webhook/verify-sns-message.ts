import { verify, type X509Certificate } from 'node:crypto';
import { AccessDenied } from '../../shared/http-access/add-access-control.ts';
import type { SigningCertificates } from './create-signing-certificates.ts';
import { snsAddress } from './sns-address.ts';
import { signedText, snsMessageSchema, type SnsMessage } from './sns-message.ts';

/**
 * Reads a message of SNS and checks its signature, of version 2 only: version 1 rests on SHA-1. What needs no
 * certificate is checked first, so that strangers do not make us fetch any.
 *
 * @throws AccessDenied, SnsUnreachableError
 */
export async function verifySnsMessage(
  body: Buffer,
  topicArns: readonly string[],
  certificates: SigningCertificates,
): Promise<SnsMessage> {
  const message = parse(body);
  if (!topicArns.includes(message.TopicArn))
    refuse('Messages of this topic are not taken: see SNS_TOPIC_ARNS.');
  if (message.SignatureVersion !== '2') {
    refuse("SignatureVersion must be 2: set the topic's attribute SignatureVersion to 2.");
  }
  const url = snsAddress(message.SigningCertURL, message.TopicArn);
  if (!url || url.search !== '' || !/^\/[A-Za-z0-9._-]+\.pem$/.test(url.pathname)) {
    return refuse("SigningCertURL must be a certificate of SNS in the topic's region.");
  }
  const certificate = await certificates.get(url);
  if (!isValidNow(certificate)) refuse('The certificate at SigningCertURL is not valid now.');
  const signature = Buffer.from(message.Signature, 'base64');
  const { publicKey } = certificate;
  const fits =
    publicKey.asymmetricKeyType === 'rsa' &&
    verify('sha256', Buffer.from(signedText(message), 'utf8'), publicKey, signature);
  return fits ? message : refuse('The Signature does not fit the message.');
}

function parse(body: Buffer): SnsMessage {
  try {
    return snsMessageSchema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return refuse('The body is not a signed message of SNS.');
  }
}

function isValidNow({ validFromDate, validToDate }: X509Certificate): boolean {
  const now = Date.now();
  return validFromDate.getTime() <= now && now <= validToDate.getTime();
}

function refuse(reason: string): never {
  throw new AccessDenied('unauthenticated', reason);
}
