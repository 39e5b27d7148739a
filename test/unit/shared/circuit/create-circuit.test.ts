import { createCircuit } from '../../../../shared/circuit/create-circuit.ts';
import { JobError } from '../../../../shared/errors/job-error.ts';
import { createLogger } from '../../../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../../../shared/telemetry/create-metrics.ts';

const log = createLogger({ process: 'test', level: 'silent' });
const { signal } = new AbortController();
const failure = new JobError('transient', 'failed', { code: 'FAILED' });

let metrics: Metrics;
beforeEach(() => {
  metrics = createMetrics();
});
afterEach(() => metrics[Symbol.dispose]());

/** One that has just opened, and lets a call through at once. */
async function openedCircuit(options: { whileProbed?: 'refuse' | 'wait' } = {}) {
  const circuit = createCircuit({ name: 'vendor', metrics, log, halfOpenAfterMs: 0, ...options });
  for (let call = 0; call < 5; call += 1) {
    await expect(circuit.execute(() => Promise.reject(failure), signal)).rejects.toBe(failure);
  }
  return circuit;
}

test('while one call probes the other side, the others are refused and told to look again soon', async () => {
  const circuit = await openedCircuit();
  const { promise, resolve } = Promise.withResolvers<string>();
  const probe = circuit.execute(() => promise, signal);
  expect(circuit.opensInMs()).toBeGreaterThan(0);
  const others = await Promise.allSettled(
    [1, 2].map(() => circuit.execute(() => Promise.resolve('asked'), signal)),
  );
  for (const other of others) {
    expect(other).toMatchObject({
      status: 'rejected',
      reason: { kind: 'unavailable', code: 'CIRCUIT_OPEN' },
    });
  }
  resolve('well again');
  expect(await probe).toBe('well again');
  expect(circuit.opensInMs()).toBe(0);
  expect(await circuit.execute(() => Promise.resolve('asked'), signal)).toBe('asked');
});

test('a probe that fails lets the next one probe', async () => {
  const circuit = await openedCircuit();
  await expect(circuit.execute(() => Promise.reject(failure), signal)).rejects.toBe(failure);
  expect(await circuit.execute(() => Promise.resolve('well again'), signal)).toBe('well again');
});

test('where calls are to wait for the probe, they share its outcome', async () => {
  const circuit = await openedCircuit({ whileProbed: 'wait' });
  const { promise, resolve } = Promise.withResolvers<string>();
  const calls = [promise, Promise.resolve('after it')].map((answer) => circuit.execute(() => answer, signal));
  resolve('well again');
  expect(await Promise.all(calls)).toEqual(['well again', 'after it']);
});
