import type { Ledger } from '../ledger/open-ledger.ts';
import type { RedisConnection } from './connect-redis.ts';
import type { Dispatcher } from './open-dispatcher.ts';
import type { RedisKeys } from './redis-keys.ts';

export interface SteeringClients {
  ledger: Pick<Ledger, 'cancel' | 'reopen' | 'read'>;
  dispatcher: Pick<Dispatcher, 'dispatch'>;
  redis: RedisConnection;
  keys: RedisKeys;
}

/**
 * Cancels an open job and its open children, and tells the workers that have them in hand. Answers the ids that are
 * now cancelled: none when the job was settled before.
 */
export async function cancelJob(id: string, { ledger, redis, keys }: SteeringClients): Promise<string[]> {
  const cancelled = await ledger.cancel(id);
  for (const cancelledId of cancelled) {
    // A worker that does not hear of it finds the row settled when it is done.
    await redis.client.publish(keys.cancelChannel(), cancelledId).catch(() => 0);
  }
  return cancelled;
}

/**
 * Opens a failed or cancelled job again, with fresh attempts, and dispatches it; while Redis is away, the relay
 * does that. False when the job is not failed or cancelled.
 */
export async function retryJob(id: string, { ledger, dispatcher }: SteeringClients): Promise<boolean> {
  if (!(await ledger.reopen(id))) return false;
  const job = await ledger.read(id);
  if (job?.state === 'accepted') {
    // Its payload is read from the row: what is dispatched here may be too large for Redis.
    await dispatcher.dispatch([{ ...job, payload: null }], { again: true }).catch(() => undefined);
  }
  return true;
}
