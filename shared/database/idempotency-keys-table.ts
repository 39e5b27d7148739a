/** Which job answered a request that carried an `Idempotency-Key`. */
export interface IdempotencyKeysTable {
  /** The name of the caller's API key, `anonymous` without keys, `cli` for the command line. */
  scope: string;
  queue: string;
  idempotency_key: string;
  /** SHA-256 of the payload as it was accepted, in hexadecimal. */
  body_hash: string;
  job_id: string;
  /** The HTTP status of the first answer; null while that is still waited for. */
  answer_status: number | null;
  /** When a first answer that is still missing counts as never given: its process died. */
  answer_due_at: Date;
  expires_at: Date;
}
