import { Cluster } from 'ioredis';
import type { RedisClient } from './connect-redis.ts';
import { eventsKept } from './open-dispatcher.ts';
import type { RedisKeys } from './redis-keys.ts';

export interface RedisMemory {
  /**
   * Whether Redis may have forgotten jobs since the last confirmation: a server was started anew (its
   * `run_id` changed) or a queue's marker is gone (`FLUSHALL`, eviction, an empty replacement).
   * Rejects when Redis is away.
   */
  check(): Promise<{
    lost: boolean;
    /** To be called when every open job has been compared. */
    confirm(): void;
  }>;
}

/** Watches for a Redis that lost its memory. Each marker lies in its queue's own slot. */
export function watchRedisMemory(
  client: RedisClient,
  queues: readonly string[],
  keys: RedisKeys,
): RedisMemory {
  let confirmedRuns: string | undefined;
  return {
    async check() {
      const runs = await runIds(client);
      const markers = await Promise.all(queues.map((queue) => client.get(keys.marker(queue))));
      const lost = runs !== confirmedRuns || markers.includes(null);
      if (lost) {
        confirmedRuns = undefined;
        // Before anything is compared: if Redis is wiped meanwhile, the markers are gone again.
        await Promise.all(queues.map((queue) => client.set(keys.marker(queue), '1')));
        // A queue object writes its limit only when Redis is there in the moment it is made, and never again; without
        // it BullMQ keeps ten times as many (pinned by the test "Redis keeps a bounded number").
        await Promise.all(
          queues.map((queue) => client.hset(keys.meta(queue), 'opts.maxLenEvents', eventsKept)),
        );
      }
      return { lost, confirm: () => void (confirmedRuns = runs) };
    },
  };
}

async function runIds(client: RedisClient): Promise<string> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  const infos = await Promise.all(nodes.map((node) => node.info('server')));
  return infos
    .map((info) => /^run_id:(\S+)/m.exec(info)?.[1] ?? '')
    .sort()
    .join(' ');
}
