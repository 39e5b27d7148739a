import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { EventBridgeKey } from '../../shared/config/webhook-settings.ts';
import { AccessDenied } from '../../shared/http-access/add-access-control.ts';

/**
 * Checks the header that an API destination of EventBridge sends. Every key is compared, in constant time.
 *
 * @throws AccessDenied when no header has the value that it should have
 */
export function verifyEventBridge(headers: IncomingHttpHeaders, keys: readonly EventBridgeKey[]): void {
  const fitting = keys.filter(({ header, sha256 }) => {
    const value = headers[header];
    return typeof value === 'string' && timingSafeEqual(createHash('sha256').update(value).digest(), sha256);
  });
  if (fitting.length > 0) return;
  throw new AccessDenied('unauthenticated', 'The key of the API destination is not known.');
}
