import { z } from 'zod';
import { estimateUsage } from './estimate-usage.ts';
import type { GenerationAnswer, GenerationCall, TokenUsage } from './text-generator.ts';

/** What no call has is a mistake, and the journal has no room for it. */
const tokens = z.number().int().nonnegative().max(1_000_000_000);

const usageSchema = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: z
    .object({ cached_tokens: tokens.nullish(), cache_write_tokens: tokens.nullish() })
    .nullish(),
});

const responseSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z
            .array(z.object({ function: z.object({ arguments: z.string() }).optional() }))
            .nullish(),
        }),
      }),
    )
    .min(1),
  usage: usageSchema.nullish().catch(undefined),
});

/**
 * Takes the answer of a chat completion: its text, else what a tool was given.
 *
 * @returns `undefined` for what is no chat completion
 */
export function chatAnswer(response: unknown, call: GenerationCall): GenerationAnswer | undefined {
  const parsed = responseSchema.safeParse(response).data;
  const message = parsed?.choices[0]?.message;
  if (parsed === undefined || message === undefined) return undefined;
  const text = message.content || (message.tool_calls?.[0]?.function?.arguments ?? '');
  return { text, usage: parsed.usage ? usageOf(parsed.usage) : estimateUsage(call, text) };
}

/** Here the prompt's tokens include those that the cache gave or took. */
function usageOf(reported: z.infer<typeof usageSchema>): TokenUsage {
  const {
    prompt_tokens: promptTokens,
    completion_tokens: outputTokens,
    prompt_tokens_details: details,
  } = reported;
  const cacheReadTokens = Math.min(details?.cached_tokens ?? 0, promptTokens);
  const cacheWriteTokens = Math.min(details?.cache_write_tokens ?? 0, promptTokens - cacheReadTokens);
  return {
    inputTokens: promptTokens - cacheReadTokens - cacheWriteTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
  };
}
