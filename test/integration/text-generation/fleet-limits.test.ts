import { randomUUID } from 'node:crypto';
import { connectRedis } from '../../../shared/queue/connect-redis.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import {
  createFleetLimits,
  type Admission,
  type FleetLimits,
} from '../../../shared/text-generation/fleet-limits.ts';
import { openRedisCluster } from '../../support/open-redis-cluster.ts';
import { testRedisSettings } from '../../support/open-test-fleet.ts';
import { failureOf, openTextRoom, runContext, verdictRequest } from '../../support/open-text-room.ts';
import { busyMachineMs } from '../../support/until.ts';

const log = createLogger({ process: 'test', level: 'silent' });

let resources: AsyncDisposableStack;
let keyPrefix: string;
beforeEach(() => {
  resources = new AsyncDisposableStack();
  keyPrefix = `test-limits-${randomUUID()}`;
});
afterEach(async () => {
  await resources.disposeAsync();
});

/** One process: a connection and counters of its own. */
async function openProcess(limits: { requests?: number; tokens?: number }): Promise<FleetLimits> {
  const redis = resources.use(connectRedis(testRedisSettings(), 'cache', log));
  await redis.untilReady(busyMachineMs);
  return resources.use(
    createFleetLimits({
      limits: { requestsPerMinute: limits.requests, tokensPerMinute: limits.tokens },
      redis: redis.client,
      keyPrefix,
      redisTimeoutMs: busyMachineMs,
      log,
    }),
  );
}

async function askMany(process: FleetLimits, count: number, tokens: number): Promise<Admission[]> {
  return await Promise.all(Array.from({ length: count }, () => process.admit(tokens)));
}
const admitted = (admissions: readonly Admission[]) => admissions.filter((admission) => admission.admitted);

describe('limits of the fleet', () => {
  it('admit together no more requests than a minute may have, and say when the next one begins', async () => {
    const [one, other] = [await openProcess({ requests: 20 }), await openProcess({ requests: 20 })];
    const admissions = (await Promise.all([askMany(one, 30, 1), askMany(other, 30, 1)])).flat();
    expect(admitted(admissions)).toHaveLength(20);
    for (const admission of admissions) {
      if (admission.admitted) continue;
      expect(admission.waitMs).toBeGreaterThan(50_000);
      expect(admission.waitMs).toBeLessThanOrEqual(60_000);
    }
  });

  it('admit together no more tokens than a minute may have', async () => {
    const [one, other] = [await openProcess({ tokens: 1_000 }), await openProcess({ tokens: 1_000 })];
    const admissions = (await Promise.all([askMany(one, 20, 90), askMany(other, 20, 90)])).flat();
    expect(admitted(admissions).length).toBeLessThanOrEqual(11);
    expect(admitted(admissions).length).toBeGreaterThan(0);
  });

  it('give back what was reserved and not used, and take what was used beyond it', async () => {
    const process = await openProcess({ tokens: 1_000 });
    const first = await process.admit(900);
    expect(await process.admit(200)).toMatchObject({ admitted: false });
    if (first.admitted) first.reservation.settle(100);
    await process[Symbol.asyncDispose]();
    const second = await process.admit(800);
    expect(second.admitted).toBe(true);
    if (second.admitted) second.reservation.settle(900);
    await process[Symbol.asyncDispose]();
    expect(await process.admit(1)).toMatchObject({ admitted: false });
  });

  it('give back the request of a call that was not made, or had no tokens left', async () => {
    const process = await openProcess({ requests: 2, tokens: 100 });
    const first = await process.admit(100);
    expect(first.admitted).toBe(true);
    expect(await process.admit(50)).toMatchObject({ admitted: false });
    expect(await process.admit(50)).toMatchObject({ admitted: false });
    if (first.admitted) first.reservation.settle('not-called');
    await process[Symbol.asyncDispose]();
    expect(admitted(await askMany(process, 2, 50))).toHaveLength(2);
  });

  it('admit a request that is larger than a whole minute when the minute is empty', async () => {
    const process = await openProcess({ tokens: 100 });
    expect((await process.admit(5_000)).admitted).toBe(true);
    expect((await process.admit(5_000)).admitted).toBe(false);
  });

  it('go on in each process by itself while Redis is away', async () => {
    const away = resources.use(connectRedis({ kind: 'url', url: 'redis://127.0.0.1:1' }, 'cache', log));
    const process = resources.use(
      createFleetLimits({
        limits: { requestsPerMinute: 3, tokensPerMinute: undefined },
        redis: away.client,
        keyPrefix,
        redisTimeoutMs: busyMachineMs,
        log,
      }),
    );
    expect(admitted(await askMany(process, 5, 1))).toHaveLength(3);
  });

  it('hold on a cluster, too', async () => {
    const cluster = resources.use(await openRedisCluster());
    const processes = [1, 2].map(() => connectRedis(cluster.settings, 'cache', log));
    for (const redis of processes) {
      resources.use(redis);
      await redis.untilReady(busyMachineMs);
    }
    const limits = processes.map(({ client }) =>
      resources.use(
        createFleetLimits({
          limits: { requestsPerMinute: 7, tokensPerMinute: 1_000 },
          redis: client,
          keyPrefix,
          redisTimeoutMs: busyMachineMs,
          log,
        }),
      ),
    );
    const admissions = (await Promise.all(limits.map((process) => askMany(process, 10, 10)))).flat();
    // Each process by itself would admit seven.
    expect(admitted(admissions)).toHaveLength(7);
  });

  it('count nothing where there is no limit', async () => {
    const redis = resources.use(connectRedis(testRedisSettings(), 'cache', log));
    await redis.untilReady(busyMachineMs);
    const process = resources.use(
      createFleetLimits({ limits: undefined, redis: redis.client, keyPrefix, log }),
    );
    expect(admitted(await askMany(process, 100, 1_000_000))).toHaveLength(100);
    expect(await redis.client.keys(`${keyPrefix}*`)).toEqual([]);
  });
});

test('a vendor whose limit is used up is passed over; with all limits used up the job waits for the minute', async () => {
  await using room = await openTextRoom();
  const limits = {
    bedrock: { requestsPerMinute: 2, tokensPerMinute: undefined },
    openai: { requestsPerMinute: 1, tokensPerMinute: undefined },
  };
  const processes = [room.open({ limits }), room.open({ limits })];
  const providers: string[] = [];
  for (let call = 0; call < 3; call += 1) {
    const process = processes[call % 2];
    const generated = await process?.generation.generate(verdictRequest(), runContext());
    providers.push(generated?.provider ?? 'none');
  }
  expect(providers).toEqual(['bedrock', 'bedrock', 'openai']);
  for (const { generation } of processes) {
    const error = await failureOf(generation.generate(verdictRequest(), runContext()));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'NO_VENDOR_NOW' });
    expect(error.retryAfterMs).toBeGreaterThan(50_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
  }
  expect(room.server.requests).toHaveLength(3);
});

test("a vendor's limit of tokens is charged with what its answers really used", async () => {
  await using room = await openTextRoom();
  // Each call is reserved for with 1,000 tokens and uses a fraction of them.
  const limits = { bedrock: { requestsPerMinute: undefined, tokensPerMinute: 2_500 } };
  const { generation } = room.open({ limits });
  const request = verdictRequest({ maxOutputTokens: 1_000 });
  for (let call = 0; call < 5; call += 1) {
    expect((await generation.generate(request, runContext())).provider).toBe('bedrock');
  }
});
