import { MustWaitError } from '../../../shared/errors/job-error.ts';
import { daysBefore } from '../../../shared/patterns/local-day.ts';
import { onWeekdays } from '../../support/make-habits.ts';
import {
  openPatternWorker,
  wednesdayNoonMs,
  type PatternWorker,
  type PatternWorkerOptions,
} from '../../support/open-pattern-worker.ts';

const deny = { policy: { patienceMs: 60_000, degradedAnswers: 'deny' } } as const;
const byStatistics = {
  patterns_detected: 1,
  predictions_queued: 1,
  model_used: 'baseline-1',
  degraded: true,
};

let worker: PatternWorker;
async function open(options?: PatternWorkerOptions): Promise<void> {
  worker = await openPatternWorker(options);
  await worker.plant('anna', onWeekdays('dashboard', daysBefore(wednesdayNoonMs, 'UTC', 30)));
}
afterEach(() => worker[Symbol.asyncDispose]());

describe('when no model lets us in', () => {
  const closed = () => worker.llm.failAlways('chat', { kind: 'status', status: 401 });

  test('the look waits within its patience, without spending an attempt', async () => {
    await open();
    closed();
    for (const waitedMs of [0, 59_000]) {
      const failed: unknown = await worker
        .look('anna', { waitedMs, isLastAttempt: true })
        .catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(MustWaitError);
      expect((failed as MustWaitError).waitMs).toBeLessThanOrEqual(60_000 - waitedMs);
    }
    expect(await worker.predictions()).toEqual([]);
  });

  test('then statistics stand alone', async () => {
    await open();
    closed();
    expect(await worker.look('anna', { waitedMs: 60_000 })).toEqual(byStatistics);
    expect(await worker.predictions()).toMatchObject([
      { proposed_by: 'baseline-1', claimed_confidence: null, reason: null },
    ]);
  });

  test('then the look fails for good, where degraded answers are denied', async () => {
    await open(deny);
    closed();
    const looking = worker.look('anna', { waitedMs: 60_000 });
    await expect(looking).rejects.not.toBeInstanceOf(MustWaitError);
    await expect(looking).rejects.toMatchObject({ code: 'NO_VENDOR_NOW', isFinal: true });
    expect(await worker.predictions()).toEqual([]);
  });
});

describe('when the model fails', () => {
  test('the attempt fails, and the last one ends with statistics', async () => {
    await open();
    worker.llm.failAlways('chat', { kind: 'status', status: 500 });
    await expect(worker.look('anna')).rejects.toMatchObject({ kind: 'transient', code: 'LLM_FAILED' });
    expect(await worker.look('anna', { isLastAttempt: true })).toEqual(byStatistics);
  });

  test('the last attempt fails where degraded answers are denied', async () => {
    await open(deny);
    worker.llm.failAlways('chat', { kind: 'status', status: 500 });
    await expect(worker.look('anna', { isLastAttempt: true })).rejects.toMatchObject({ code: 'LLM_FAILED' });
  });

  test('a request that it calls malformed is our fault, and no statistics hide it', async () => {
    await open();
    worker.llm.failAlways('chat', { kind: 'quoting' });
    await expect(worker.look('anna', { isLastAttempt: true })).rejects.toMatchObject({
      kind: 'permanent',
      code: 'LLM_REQUEST_REFUSED',
    });
  });
});

describe('when no model is configured', () => {
  test('statistics propose at once', async () => {
    await open({ withModel: false });
    expect(await worker.look('anna')).toEqual(byStatistics);
    expect(await worker.counted('degradedAnswers', { queue: 'pattern-detection' })).toBe(1);
  });

  test('the look fails for good, where degraded answers are denied', async () => {
    await open({ withModel: false, ...deny });
    await expect(worker.look('anna')).rejects.toMatchObject({
      kind: 'permanent',
      code: 'LLM_NOT_CONFIGURED',
    });
  });
});
