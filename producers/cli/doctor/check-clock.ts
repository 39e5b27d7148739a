import type { Finding, Reporter } from './finding.ts';

/** Delays, retries and locks are off by as much as clocks differ. */
const noticeableMs = 2_000;
/** AWS refuses signatures at five minutes; a minute is no accident any more. */
const intolerableMs = 60_000;

/** @param aheadMs how far another clock is ahead of this machine's, in milliseconds */
export function checkClock(report: Reporter, aheadMs: number): Finding {
  const difference = `its clock is ${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  const mend =
    'Let both machines keep their clocks right (NTP): jobs start too early or too late by as much.';
  if (Math.abs(aheadMs) > intolerableMs) return report.fail('clock', difference, mend);
  if (Math.abs(aheadMs) > noticeableMs) return report.warn('clock', difference, mend);
  return report.ok('clock', "agrees with this machine's");
}
