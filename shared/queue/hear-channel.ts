import type { Logger } from '../telemetry/create-logger.ts';
import type { RedisClient } from './connect-redis.ts';

/**
 * Calls back with every message on a channel until it is disposed. What is said while Redis is away is not heard.
 *
 * @param subscriber a connection of its own: a subscribed connection can do nothing else
 */
export function hearChannel(
  subscriber: RedisClient,
  channel: string,
  onMessage: (message: string) => void,
  log: Logger,
): Disposable {
  function onAnyMessage(from: string, message: string): void {
    if (from === channel) onMessage(message);
  }
  function subscribe(): void {
    subscriber
      .subscribe(channel)
      .catch((error: unknown) => log.debug({ err: error, channel }, 'not subscribed'));
  }
  subscriber.on('message', onAnyMessage);
  // ioredis subscribes again after a reconnect, but not to what it never was subscribed to: the first time may fail
  // for good on a cluster that is away.
  subscriber.on('ready', subscribe);
  if (subscriber.status === 'ready') subscribe();
  return {
    [Symbol.dispose]() {
      subscriber.off('message', onAnyMessage);
      subscriber.off('ready', subscribe);
    },
  };
}
