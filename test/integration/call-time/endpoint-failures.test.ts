import { randomUUID } from 'node:crypto';
import type { EndpointFault } from '../../../shared/emulators/sagemaker-server.ts';
import { openCallTime, randomContacts, type CallTime } from '../../support/open-call-time.ts';

const key = (phoneNumber: string) => `ml:prediction:${phoneNumber}`;
const defaultPrediction = {
  optimalCallTime: {
    preferredDayOfWeek: [1, 2, 3, 4, 5],
    preferredHourRange: { start: 10, end: 18 },
    confidence: 0.5,
  },
  cached: false,
  source: 'default',
};
/** So little that a call which hangs is soon over; calls that are answered have all the time of a busy machine. */
const timeoutMs = 400;

describe('call-time-prediction with an endpoint that fails', () => {
  let callTime: CallTime;

  beforeEach(async () => {
    callTime = await openCallTime({ parallelism: 4 });
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await callTime[Symbol.asyncDispose]();
  });

  it.each<[EndpointFault, string]>([
    [{ kind: 'status', status: 500 }, 'error'],
    [{ kind: 'status', status: 400 }, 'error'],
    [{ kind: 'status', status: 429, retryAfterSeconds: 30 }, 'rate-limited'],
    [{ kind: 'model-error' }, 'error'],
    [{ kind: 'hang' }, 'timeout'],
    [{ kind: 'slow-drip' }, 'timeout'],
    [{ kind: 'reset' }, 'error'],
    [{ kind: 'truncated' }, 'malformed'],
    [{ kind: 'cut-off' }, 'malformed'],
    [{ kind: 'schema-breaking' }, 'malformed'],
    [{ kind: 'empty' }, 'malformed'],
    [{ kind: 'oversized' }, 'malformed'],
  ])(
    '%j: the default pattern in time, and the real answer as soon as there is one',
    async (fault, outcome) => {
      await using failing = await openCallTime({
        beside: callTime,
        ...(outcome === 'timeout' ? { endpointTimeoutMs: timeoutMs } : {}),
      });
      const contacts = randomContacts(1);
      const jobId = randomUUID();
      callTime.server.failNext(fault);
      const { predictions, errors } = await failing.run(contacts, { jobId });
      expect(errors).toEqual([]);
      expect(predictions).toMatchObject([defaultPrediction]);
      expect(await callTime.storedRows(jobId)).toMatchObject([{ source: 'default', confidence: 0.5 }]);
      expect(await callTime.redis.exists(key(contacts[0]?.phoneNumber ?? ''))).toBe(0);
      expect(await failing.counted('endpointRequests', outcome)).toBe(1);

      const again = await callTime.run(contacts);
      expect(again.predictions).toMatchObject([{ source: 'sagemaker', cached: false }]);
      expect(await callTime.counted('endpointRequests', 'ok')).toBe(1);
    },
  );

  it('stops calling after five failures running, and begins again when the endpoint is back', async () => {
    let aheadMs = 0;
    const startMs = Date.now();
    // By which the circuit goes: it stands still, however long all this takes.
    jest.spyOn(Date, 'now').mockImplementation(() => startMs + aheadMs);
    const circuit = async () => (await callTime.metrics.circuitState.get()).values;
    const calls = () => callTime.server.requests.length;
    const runOne = async () => (await callTime.run(randomContacts(1))).predictions[0]?.source;

    // Four failures and a success are no five running.
    callTime.server.failNext({ kind: 'status', status: 500 }, 4);
    for (let run = 0; run < 4; run += 1) expect(await runOne()).toBe('default');
    expect(await runOne()).toBe('sagemaker');

    callTime.server.failNext({ kind: 'status', status: 500 }, 5);
    for (let run = 0; run < 5; run += 1) expect(await runOne()).toBe('default');
    expect(await circuit()).toEqual([{ labels: { circuit: 'sagemaker' }, value: 2 }]);
    expect(calls()).toBe(10);

    // Open: nobody is called, however many are asked about.
    const { predictions } = await callTime.run(randomContacts(200));
    expect(predictions.every(({ source }) => source === 'default')).toBe(true);
    expect(calls()).toBe(10);
    expect(await callTime.counted('endpointRequests', 'rejected')).toBe(200);
    expect(callTime.logLines.filter((line) => line.includes('circuit is open'))).toHaveLength(1);

    // After ten seconds one call is let through. It fails: open again.
    aheadMs = 10_000;
    callTime.server.failNext({ kind: 'status', status: 500 });
    const second = await callTime.run(randomContacts(50));
    expect(second.predictions.every(({ source }) => source === 'default')).toBe(true);
    expect(calls()).toBe(11);

    // And after ten more, it is answered: closed.
    aheadMs = 20_000;
    const third = await callTime.run(randomContacts(50));
    expect(third.predictions.every(({ source }) => source === 'sagemaker')).toBe(true);
    expect(calls()).toBe(61);
    expect(await circuit()).toEqual([{ labels: { circuit: 'sagemaker' }, value: 0 }]);
  });

  it('answers a large job in a few time-outs when the endpoint hangs', async () => {
    await using impatient = await openCallTime({
      beside: callTime,
      parallelism: 4,
      endpointTimeoutMs: timeoutMs,
    });
    callTime.server.failNext({ kind: 'hang' }, 1_000);
    const { predictions } = await impatient.run(randomContacts(500));
    expect(predictions.every(({ source }) => source === 'default')).toBe(true);
    // Two rounds of four, and the circuit is open.
    expect(callTime.server.requests.length).toBeLessThanOrEqual(8);
  });

  it('asks no more when the time of the job is nearly over', async () => {
    let nowMs = Date.now();
    await using slow = await openCallTime({ beside: callTime, parallelism: 4, now: () => nowMs });
    callTime.server.setLatency(20);
    const asked = slow.run(randomContacts(100));
    await callTime.server.arrived(10);
    nowMs += 9.5 * 60_000;
    const { predictions } = await asked;
    const sources = Map.groupBy(predictions, ({ source }) => source);
    expect(sources.get('sagemaker')?.length).toBeGreaterThanOrEqual(10);
    expect(sources.get('default')?.length).toBeGreaterThan(60);
  });

  it('does not count the calls that it has ended itself', async () => {
    callTime.server.failNext({ kind: 'hang' }, 8);
    for (let round = 1; round <= 8; round += 1) {
      const controller = new AbortController();
      const asked = callTime.run(randomContacts(1), { signal: controller.signal });
      await callTime.server.arrived(round);
      controller.abort();
      await expect(asked).rejects.toMatchObject({ kind: 'cancelled' });
      await callTime.server.abandoned(round);
    }
    expect((await callTime.run(randomContacts(1))).predictions).toMatchObject([{ source: 'sagemaker' }]);
  });
});
