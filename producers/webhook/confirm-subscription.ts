import { AccessDenied } from '../../shared/http-access/add-access-control.ts';
import type { FetchText } from './fetch-text.ts';
import { snsAddress } from './sns-address.ts';
import { SnsUnreachableError } from './sns-unreachable-error.ts';

/**
 * Tells SNS that the subscription is wanted: a GET request to the address in its message.
 *
 * @param message whose signature has been checked, of a topic that is allowed
 * @throws AccessDenied when the address is not one for this, SnsUnreachableError when SNS does not take it
 */
export async function confirmSubscription(
  message: { SubscribeURL: string; TopicArn: string },
  fetchText: FetchText,
): Promise<void> {
  const url = snsAddress(message.SubscribeURL, message.TopicArn);
  const isForThis =
    url?.pathname === '/' &&
    isOnly(url.searchParams.getAll('Action'), 'ConfirmSubscription') &&
    isOnly(url.searchParams.getAll('TopicArn'), message.TopicArn);
  if (!url || !isForThis) {
    throw new AccessDenied('unauthenticated', 'SubscribeURL must be the confirmation of this topic at SNS.');
  }
  const { status } = await fetchText(url).catch((error: unknown) => {
    throw new SnsUnreachableError(error);
  });
  if (status !== 200) throw new SnsUnreachableError(undefined);
}

function isOnly(values: readonly string[], value: string): boolean {
  return values.length === 1 && values[0] === value;
}
