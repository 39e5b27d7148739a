/** The instant at which a job was accepted. */
export interface AcceptedAt {
  /** Milliseconds since the epoch. */
  epochMs: number;
  /** UTC with six fractional digits, for example `2026-11-22T11:00:00.123456Z`. */
  timestamp: string;
}

/**
 * When a job was accepted, read from its id: a UUIDv7 begins with the milliseconds. The three digits below them
 * come from the id's random end. So every run of the job gets the same instant, and jobs of the same millisecond
 * mostly get different ones.
 *
 * @throws Error when the id is no UUIDv7: the ledger makes no others
 */
export function acceptedAt(jobId: string): AcceptedAt {
  const hex = jobId.replaceAll('-', '');
  if (!/^[0-9a-f]{12}7[0-9a-f]{19}$/i.test(hex)) throw new Error('the job id is no UUIDv7');
  const epochMs = Number.parseInt(hex.slice(0, 12), 16);
  const microseconds = Number.parseInt(hex.slice(-12), 16) % 1_000;
  const timestamp = new Date(epochMs).toISOString().replace('Z', `${String(microseconds).padStart(3, '0')}Z`);
  return { epochMs, timestamp };
}
