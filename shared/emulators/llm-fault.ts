/** How an answer can differ from a plain good one. */
export type LlmFault =
  /** The vendor's own error with this status; `errorType` is AWS's error name or OpenAI's error code. */
  | { kind: 'status'; status: number; errorType?: string; retryAfterSeconds?: number; retryAfterMs?: number }
  /** A refusal whose message quotes the request, as vendors' messages do. */
  | { kind: 'quoting' }
  /** The request is read and never answered. */
  | { kind: 'hang' }
  /** The connection is reset before any answer. */
  | { kind: 'reset' }
  /** The connection ends in the middle of the answer. */
  | { kind: 'cut-off' }
  /** Headers at once, then a byte now and then, without an end. */
  | { kind: 'slow-drip' }
  /** Status 200 and no body. */
  | { kind: 'empty' }
  /** More bytes than any answer has. */
  | { kind: 'oversized' }
  /** The answer's JSON ends in its middle, because the tokens were used up. */
  | { kind: 'truncated' }
  /** Valid JSON that does not fit the schema. */
  | { kind: 'wrong-shape' }
  /** The good answer in a code fence, with prose around it. */
  | { kind: 'fenced' }
  /** Prose only. */
  | { kind: 'no-json' };
