import type { ClusterNode } from './open-redis-cluster.ts';

/**
 * Moves the slot of a key from one primary to another while clients use it, as `redis-cli --cluster reshard` does:
 * key by key, so that for a while one part of the slot is here and the other part there.
 */
export async function moveSlot(key: string, from: ClusterNode, to: ClusterNode): Promise<void> {
  const slot = String(await from.ask('cluster', 'keyslot', key));
  const [source, target] = [
    String(await from.ask('cluster', 'myid')),
    String(await to.ask('cluster', 'myid')),
  ];
  await to.ask('cluster', 'setslot', slot, 'importing', source);
  await from.ask('cluster', 'setslot', slot, 'migrating', target);
  for (;;) {
    const keys = await from.ask('cluster', 'getkeysinslot', slot, '10');
    if (!Array.isArray(keys)) throw new Error('the keys of the slot are no list');
    if (keys.length === 0) break;
    await from.ask('migrate', to.host, String(to.port), '', '0', '10000', 'KEYS', ...keys.map(String));
  }
  // What clients still make of the slot's keys they make at the target: the source has none of them any more.
  await to.ask('cluster', 'setslot', slot, 'node', target);
  await from.ask('cluster', 'setslot', slot, 'node', target);
}
