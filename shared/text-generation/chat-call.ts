import { boundedCall, type BoundedCallOptions } from '../outside-call/bounded-call.ts';
import { chatAnswer } from './chat-answer.ts';
import { chatFailure, type ChatErrors } from './chat-failure.ts';
import { endedCall, generationFailure } from './generation-failure.ts';
import type { GenerationAnswer, GenerationCall } from './text-generator.ts';

export interface ChatCallOptions {
  call: GenerationCall;
  signal: AbortSignal;
  /** The SDK's own. */
  errors: ChatErrors;
}

/** What the SDKs take with each request: their own limit is there only because they insist on one. */
export interface ChatRequestOptions {
  signal: AbortSignal;
  timeout: number;
}

const afterOursMs = 1_000;

/** Makes one call to a vendor that speaks chat completions, and says what its answer or its failure is. */
export async function chatCall(
  { call, signal, errors }: ChatCallOptions,
  send: (options: ChatRequestOptions) => Promise<unknown>,
): Promise<GenerationAnswer> {
  const { timeoutMs } = call;
  const bounds: BoundedCallOptions = {
    timeoutMs,
    signal,
    failureOf: (error, ending) => endedCall(error, ending, (failed) => chatFailure(failed, errors)),
  };
  const response = await boundedCall(bounds, (ended) =>
    send({ signal: ended, timeout: Math.ceil(timeoutMs) + afterOursMs }),
  );
  const answer = chatAnswer(response, call);
  if (answer === undefined) throw generationFailure('LLM_ANSWER_BROKEN', { cause: undefined, status: 200 });
  return answer;
}
