import { z } from 'zod';
import { estimateUsage } from './estimate-usage.ts';
import type { GenerationAnswer, GenerationCall } from './text-generator.ts';

/** What no call has is a mistake, and the journal has no room for it. */
const tokens = z.number().int().nonnegative().max(1_000_000_000);

const responseSchema = z.object({
  output: z.object({
    message: z.object({
      content: z.array(
        z.object({
          text: z.string().optional(),
          toolUse: z.object({ input: z.unknown().optional() }).optional(),
        }),
      ),
    }),
  }),
  usage: z
    .object({
      inputTokens: tokens,
      outputTokens: tokens,
      cacheReadInputTokens: tokens.nullish(),
      cacheWriteInputTokens: tokens.nullish(),
    })
    .nullish()
    .catch(undefined),
});

/**
 * Takes the answer of a `Converse` response: what a tool was given, else the text, whichever was asked for.
 *
 * @returns `undefined` for what is no such response
 */
export function bedrockAnswer(response: unknown, call: GenerationCall): GenerationAnswer | undefined {
  const parsed = responseSchema.safeParse(response).data;
  if (parsed === undefined) return undefined;
  const { content } = parsed.output.message;
  const toolUse = content.find((block) => block.toolUse !== undefined)?.toolUse;
  const text =
    toolUse === undefined ? content.map((block) => block.text ?? '').join('') : asText(toolUse.input);
  const { usage } = parsed;
  if (!usage) return { text, usage: estimateUsage(call, text) };
  return {
    text,
    // Bedrock counts the tokens of the cache beside those of the input.
    usage: {
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      cacheReadTokens: usage.cacheReadInputTokens ?? 0,
      cacheWriteTokens: usage.cacheWriteInputTokens ?? 0,
    },
  };
}

function asText(input: unknown): string {
  return typeof input === 'string' ? input : (JSON.stringify(input) ?? '');
}
