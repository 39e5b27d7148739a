import { JobError, MustWaitError, StoreUnavailableError } from '../../../../shared/errors/job-error.ts';
import { decideWithoutAnswer } from '../../../../shared/text-generation/without-answer.ts';

const patienceMs = 60_000;
const allow = { patienceMs, degradedAnswers: 'allow' } as const;
const deny = { patienceMs, degradedAnswers: 'deny' } as const;
const early = { isLastAttempt: false, waitedMs: 0 };
const noVendorNow = (retryAfterMs: number) =>
  new JobError('unavailable', 'No vendor', { code: 'NO_VENDOR_NOW', retryAfterMs });
const failed = new JobError('transient', 'Failed', { code: 'LLM_FAILED' });
const notConfigured = new JobError('permanent', 'None', { code: 'LLM_NOT_CONFIGURED' });

describe('when no vendor can answer now', () => {
  it.each([
    ['until one may', 3_000, 0, 3_000],
    ['at least a moment', 0, 0, 250],
    ['no longer than its patience', 30_000, 50_000, 10_000],
    ['the last of its patience', 5_000, 59_900, 100],
  ])('the job waits %s', (_what, retryAfterMs, waitedMs, waitMs) => {
    for (const policy of [allow, deny]) {
      const decided = decideWithoutAnswer(
        noVendorNow(retryAfterMs),
        { isLastAttempt: true, waitedMs },
        policy,
      );
      expect(decided).toBeInstanceOf(MustWaitError);
      expect(decided).toMatchObject({ waitMs, code: 'NO_VENDOR_NOW', kind: 'unavailable' });
    }
  });

  it('the baseline answers after that, or the job fails', () => {
    const error = noVendorNow(1_000);
    const patient = { isLastAttempt: false, waitedMs: patienceMs };
    expect(decideWithoutAnswer(error, patient, allow)).toBe('degrade');
    expect(decideWithoutAnswer(error, patient, deny)).toMatchObject({
      kind: 'unavailable',
      code: 'NO_VENDOR_NOW',
      isFinal: true,
    });
    expect(decideWithoutAnswer(error, early, { ...allow, patienceMs: 0 })).toBe('degrade');
  });
});

test('what failed is tried again; the baseline answers in place of the last failure, or it stays one', () => {
  expect(decideWithoutAnswer(failed, early, allow)).toBe(failed);
  expect(decideWithoutAnswer(failed, { isLastAttempt: true, waitedMs: 0 }, allow)).toBe('degrade');
  expect(decideWithoutAnswer(failed, { isLastAttempt: true, waitedMs: 0 }, deny)).toBe(failed);
});

test('without any vendor the baseline answers at once, or the job fails', () => {
  expect(decideWithoutAnswer(notConfigured, early, allow)).toBe('degrade');
  expect(decideWithoutAnswer(notConfigured, early, deny)).toBe(notConfigured);
});

test.each([
  new JobError('permanent', 'Refused', { code: 'LLM_REQUEST_REFUSED' }),
  new JobError('cancelled', 'Aborted', { code: 'ABORTED' }),
  new StoreUnavailableError('mysql', undefined),
  new JobError('transient', 'Late', { code: 'DEADLINE_EXCEEDED' }),
])('no baseline hides $code', (error) => {
  const context = { isLastAttempt: true, waitedMs: patienceMs };
  expect(decideWithoutAnswer(error, context, allow)).toBe(error);
});
