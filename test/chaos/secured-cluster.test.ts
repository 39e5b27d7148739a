import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { z } from 'zod';
import { trustAuthorities } from '../../shared/config/trust-authorities.ts';
import { defineQueue } from '../../shared/contracts/define-queue.ts';
import { makeTlsFiles } from '../support/make-tls-files.ts';
import { openRedisCluster } from '../support/open-redis-cluster.ts';
import { openTestFleet } from '../support/open-test-fleet.ts';
import { until } from '../support/until.ts';

const contract = defineQueue({
  name: 'queue',
  payload: z.object({ number: z.number() }),
  result: z.object({ number: z.number() }),
  attempts: 2,
  deadlineMs: 60_000,
  lane: 'interactive',
});

test('a cluster that takes TLS and a password only: jobs are done, and whoever waits is told', async () => {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-tls-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const secured = await makeTlsFiles(directory, ['localhost', '127.0.0.1']);
  const known = getCACertificates('default');
  resources.defer(() => setDefaultCACertificates(known));
  trustAuthorities({ NODE_EXTRA_CA_CERTS: secured.authority });
  const cluster = resources.use(await openRedisCluster({ secured }));

  await using fleet = await openTestFleet([contract], cluster.settings);
  fleet.consume(contract, { start: ({ number }) => Promise.resolve({ number: number + 1 }) });
  fleet.startRelay();
  await until(() => fleet.redis.isUp());
  const { id } = await fleet.enqueue.enqueue(contract, { number: 1 }, { replyTo: fleet.results.name });
  expect(await fleet.results.wait(id, 40_000)).toMatchObject({ state: 'completed', result: { number: 2 } });
  expect((await fleet.dispatcher.depth(contract.name)).waiting).toBe(0);
});
