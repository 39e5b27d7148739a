import type { GenerationCall, TokenUsage } from './text-generator.ts';

/** English has about four characters a token. */
const charactersPerToken = 4;

/**
 * The tokens of a call whose answer does not tell them, by the lengths of its texts. Such a call was paid for all
 * the same: to count it as nothing would hide it from the limits and the spend.
 */
export function estimateUsage(call: Pick<GenerationCall, 'system' | 'messages'>, answer: string): TokenUsage {
  const asked = call.messages.reduce((length, { text }) => length + text.length, call.system.length);
  return {
    inputTokens: Math.ceil(asked / charactersPerToken),
    outputTokens: Math.ceil(answer.length / charactersPerToken),
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
}
