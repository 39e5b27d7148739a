import fc from 'fast-check';
import {
  errorKinds,
  JobError,
  ModelNotReadyError,
  MustWaitError,
  NewerPayloadError,
  StoreUnavailableError,
} from '../../../../shared/errors/job-error.ts';
import { decideRetry, leaveForMs } from '../../../../shared/queue/retry-policy.ts';

const failure = (kind: (typeof errorKinds)[number], retryAfterMs?: number) =>
  new JobError(kind, 'failed', { code: 'FAILED', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

test.each(['invalid-input', 'permanent', 'cancelled'] as const)('%s is never tried again', (kind) => {
  expect(decideRetry(failure(kind), 1, 5)).toEqual({ action: 'stop' });
});

test.each(['transient', 'rate-limited', 'unavailable'] as const)(
  '%s is tried again until attempts run out',
  (kind) => {
    expect(decideRetry(failure(kind), 4, 5)).toMatchObject({ action: 'retry' });
    expect(decideRetry(failure(kind), 5, 5)).toEqual({ action: 'stop' });
  },
);

test('what must wait is put aside for as long as it says, whatever the attempt', () => {
  const error = new MustWaitError('Nobody can do it now', { code: 'NOBODY_NOW', waitMs: 700 });
  expect(decideRetry(error, 5, 5)).toEqual({ action: 'wait', delayMs: 700 });
});

test('an outage of our own store parks, whatever the attempt', () => {
  expect(decideRetry(new StoreUnavailableError('mysql', undefined), 5, 5)).toEqual({ action: 'park' });
});

test('a process without the model parks, and leaves the jobs to others', () => {
  expect(decideRetry(new ModelNotReadyError('lead-conversion'), 5, 5)).toEqual({ action: 'park' });
});

test('the delay grows, is bounded and never undercuts Retry-After', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.option(fc.nat(600_000), { nil: undefined }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, retryAfterMs, random) => {
        const decision = decideRetry(failure('rate-limited', retryAfterMs), attempt, 50, random);
        if (decision.action !== 'retry') throw new Error('not retried');
        const ceilingMs = Math.min(1_000 * 2 ** (attempt - 1), 300_000);
        expect(decision.delayMs).toBeGreaterThanOrEqual(Math.max(ceilingMs / 2 - 1, retryAfterMs ?? 0));
        expect(decision.delayMs).toBeLessThanOrEqual(Math.max(ceilingMs, retryAfterMs ?? 0));
      },
    ),
  );
});

test('a job that only a newer worker can do is left, whatever attempt it is, for half a second to half a minute', () => {
  expect(decideRetry(new NewerPayloadError(2), 5, 5)).toEqual({ action: 'leave' });
  expect([leaveForMs(1, 0), leaveForMs(1, 1), leaveForMs(3, 1), leaveForMs(1_000, 1)]).toEqual([
    500, 1_000, 3_000, 30_000,
  ]);
});
