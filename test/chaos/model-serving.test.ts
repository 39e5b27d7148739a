import pLimit from 'p-limit';
import { modelServing } from '../../shared/contracts/model-serving.ts';
import { RedisKeys } from '../../shared/queue/redis-keys.ts';
import { openModelRoom, type ModelRoom } from '../support/open-model-room.ts';
import { openTestFleet, type TestFleet } from '../support/open-test-fleet.ts';
import { readSmallCausalBundle, shiftedSmallCausal } from '../support/small-causal.ts';
import type { StartedProcess } from '../support/start-process.ts';
import { startServingProcess } from '../support/start-serving-process.ts';
import { until } from '../support/until.ts';

const concurrency = 64;
const row = { rate: 2.5, spread: 1.25, sector: 'other' };
/** What garbage that is not collected yet may add. */
const mostGrowthBytes = 100e6;

let models: ModelRoom;
let fleet: TestFleet;
let serving: StartedProcess;
beforeEach(async () => {
  models = await openModelRoom();
  fleet = await openTestFleet([modelServing]);
  await models.promoteBundle(await readSmallCausalBundle());
  serving = startServingProcess(fleet, { ...models.environment, LOG_LEVEL: 'info' });
});
afterEach(async () => {
  await serving[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

const announce = () => fleet.redis.client.publish(new RedisKeys().modelsChannel(), 'small-causal');

interface Outcome {
  kind: 'gone' | 'answered' | 'refused';
  status?: number;
  code?: string;
  /** The first effect, which tells the versions apart. */
  effect?: number | undefined;
}

/** Asks for one row, in every fifth case with a change of mind. */
async function ask(url: string, number: number): Promise<Outcome> {
  const signal = number % 5 === 4 ? AbortSignal.timeout(1 + (number % 7)) : null;
  try {
    const response = await fetch(`${url}/predict/small-causal`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(row),
      signal,
    });
    const body = (await response.json()) as { causal_effects?: number[]; code?: string };
    const { status } = response;
    if (status === 200) return { kind: 'answered', status, effect: body.causal_effects?.[0] };
    return { kind: 'refused', status, ...(body.code === undefined ? {} : { code: body.code }) };
  } catch (error) {
    if (signal?.aborted) return { kind: 'gone' };
    throw error;
  }
}

function load(url: string, requests: number, inTheMiddle?: () => Promise<void>): Promise<Outcome[]> {
  const limit = pLimit(concurrency);
  const middle = Math.floor(requests / 2);
  return Promise.all(
    Array.from({ length: requests }, (_nothing, number) =>
      limit(async () => {
        if (number === middle) await inTheMiddle?.();
        return ask(url, number);
      }),
    ),
  );
}

async function memoryOf(healthUrl: string): Promise<number> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

test.each([
  ['quickly', 1_000],
  ['at length', 10_000],
])(
  'clients that go at random, and another version in the midst of the load: %s',
  async (_title, requests) => {
    const { url, healthUrl } = await serving.addresses();
    const [first] = await load(url, 1);
    const before = first?.effect ?? Number.NaN;
    await load(url, requests);
    const memoryBefore = await memoryOf(healthUrl);
    const version = async () =>
      ((await (await fetch(`${url}/models`)).json()) as { models: { version: string }[] }).models[0]?.version;

    const outcomes = await load(url, requests, async () => {
      await models.promoteBundle(await shiftedSmallCausal('1.1.0', 2));
      await announce();
      await until(async () => (await version()) === '1.1.0');
    });

    const refused = outcomes.filter(({ kind }) => kind === 'refused');
    expect(refused.filter(({ code }) => code !== 'QUEUE_FULL' && code !== 'MODEL_NOT_READY')).toEqual([]);
    expect(refused.filter(({ status }) => status !== 503)).toEqual([]);
    const answered = outcomes
      .filter(({ kind }) => kind === 'answered')
      .map(({ effect = Number.NaN }) => effect);
    expect(answered.length).toBeGreaterThan(0.7 * requests);
    // Each by one version or by the other, never by a part of one.
    const [after] = (await load(url, 2)).slice(-1);
    expect(after?.effect).toBeCloseTo(before + 2, 5);
    expect(new Set(answered)).toEqual(new Set([before, after?.effect]));
    const ready = await fetch(`${healthUrl}/health/ready`);
    expect(await ready.json()).toMatchObject({ status: 'ok', checks: { models: 'ok' } });
    expect(await memoryOf(healthUrl)).toBeLessThan(memoryBefore + mostGrowthBytes);
    expect(serving.stderr()).not.toMatch(/"level":"(error|fatal)"/);
  },
  600_000,
);
