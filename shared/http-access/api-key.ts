import { createHash, timingSafeEqual } from 'node:crypto';

/** What a key may do: put work in, read results, steer jobs. */
export const scopes = ['produce', 'read', 'operate'] as const;
export type Scope = (typeof scopes)[number];

/** An API key as the configuration knows it: never the key itself. */
export interface ApiKey {
  /** Names the caller in logs, limits and idempotency scopes. */
  name: string;
  scopes: ReadonlySet<Scope>;
  sha256: Buffer;
}

/**
 * The key that was presented, if it is one of ours. Every known key is compared, in constant time, so that the
 * time taken says nothing about which one is close.
 */
export function findApiKey(presented: string, keys: readonly ApiKey[]): ApiKey | undefined {
  const sha256 = createHash('sha256').update(presented).digest();
  let found: ApiKey | undefined;
  for (const key of keys) {
    if (timingSafeEqual(sha256, key.sha256)) found = key;
  }
  return found;
}
