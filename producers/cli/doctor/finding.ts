/**
 * - `ok`: as it should be
 * - `warn`: it works, but not as well or as safely as it could
 * - `fail`: jobs are lost, refused or not done until it is mended
 */
export type FindingState = 'ok' | 'warn' | 'fail';

/**
 * The outcome of one check, in words for people. Holds no password and no value of a variable, but for when a schedule
 * is due.
 */
export interface Finding {
  /** What was looked at, for example `redis`. */
  subject: string;
  /** What about it, for example `eviction`. */
  check: string;
  state: FindingState;
  finding: string;
  /** What to do about it; null when there is nothing to do. */
  mend: string | null;
}

/** Makes the findings about one subject. */
export interface Reporter {
  ok(check: string, finding: string): Finding;
  warn(check: string, finding: string, mend: string): Finding;
  fail(check: string, finding: string, mend: string): Finding;
}

export function reporterFor(subject: string): Reporter {
  return {
    ok: (check, finding) => ({ subject, check, state: 'ok', finding, mend: null }),
    warn: (check, finding, mend) => ({ subject, check, state: 'warn', finding, mend }),
    fail: (check, finding, mend) => ({ subject, check, state: 'fail', finding, mend }),
  };
}
