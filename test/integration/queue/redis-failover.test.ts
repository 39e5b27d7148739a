import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { connectRedis } from '../../../shared/queue/connect-redis.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { until } from '../../support/until.ts';

/** As managed services fail over: the address leads to another server, and whoever is connected stays with the old one. */
test('a primary that has become a replica is left for the one that its address leads to now', async () => {
  await using resources = new AsyncDisposableStack();
  const before = await resources.use(await openPrivateServers()).startRedis();
  const after = await resources.use(await openPrivateServers()).startRedis();
  const [old, next] = [new Redis(before.url), new Redis(after.url)];
  resources.defer(() => old.disconnect());
  resources.defer(() => next.disconnect());
  const address = new URL(before.url);
  await next.config('SET', 'requirepass', address.password);

  let leadsTo = Number(address.port);
  const door = createServer((caller) => {
    const server = connect(leadsTo, '127.0.0.1');
    caller.pipe(server).pipe(caller);
    caller.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => caller.destroy()).on('close', () => caller.destroy());
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  resources.defer(() => void door.close());
  address.port = String((door.address() as AddressInfo).port);

  const log = createLogger({ process: 'test', level: 'silent' });
  const clients = (['producer', 'worker', 'cache'] as const).map((role) => {
    const connection = resources.use(connectRedis({ kind: 'url', url: address.href }, role, log));
    return { role, connection };
  });
  for (const { role, connection } of clients) {
    await connection.untilReady(30_000);
    await connection.client.set(role, 'before');
  }
  leadsTo = Number(new URL(after.url).port);
  await old.replicaof('127.0.0.1', leadsTo);

  for (const { role, connection } of clients) {
    const isWritten = () =>
      connection.client.set(role, 'after').then(
        () => true,
        () => false,
      );
    await until(isWritten);
    expect(await next.get(role)).toBe('after');
  }
});
