/** Who can be asked. One file per vendor makes a `TextGenerator` of its SDK. */
export const providers = ['bedrock', 'openai', 'together'] as const;
export type Provider = (typeof providers)[number];

export interface Message {
  role: 'user' | 'assistant';
  text: string;
}

/** One question to a model, in no vendor's words. */
export interface GenerationCall {
  system: string;
  /** Begins and ends with the user; more than one when the model is asked again. */
  messages: readonly Message[];
  /** What the answer must be: a name of letters, digits and underscores, and a JSON Schema of type object. */
  answer: { name: string; jsonSchema: Readonly<Record<string, unknown>> };
  maxOutputTokens: number;
  /** From 0 to 1; left out for models that take none. */
  temperature: number;
  /** How long the call may take, from its credentials to the last byte. */
  timeoutMs: number;
}

/** Tokens as the vendor bills them: the four kinds do not overlap. */
export interface TokenUsage {
  /** Neither read from nor written to the vendor's prompt cache. */
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

export interface GenerationAnswer {
  /** What the model gave as its answer: JSON text, when it did as it was told. Not validated. */
  text: string;
  usage: TokenUsage;
}

/** One model of one vendor. */
export interface TextGenerator extends Disposable {
  readonly provider: Provider;
  /** The vendor's id of the model, as it is sent. */
  readonly model: string;
  /**
   * Makes one call, never a second one. An answer that is no JSON, or was cut off, is an answer: it was paid for.
   *
   * @throws JobError with one of these codes:
   *   `LLM_RATE_LIMITED` (rate-limited, with what `Retry-After` asked for), `LLM_TIMEOUT`, `LLM_FAILED` and
   *   `LLM_ANSWER_BROKEN` (transient; the last one may be billed), `LLM_UNAVAILABLE` (unavailable: cannot be reached, or 503), `LLM_ACCESS_DENIED` (unavailable:
   *   401, 403, 404 or no credentials), `LLM_REQUEST_REFUSED` (permanent: 400, 413, 422), `ABORTED` (cancelled).
   *   No message quotes the request or the answer.
   */
  generate(call: GenerationCall, signal: AbortSignal): Promise<GenerationAnswer>;
}
