import type { GenerationCall, Provider, TokenUsage } from './text-generator.ts';

/**
 * The names of OpenTelemetry's semantic conventions for generative AI. They are still in development: here is the
 * one place that knows them. Neither prompts nor answers are recorded.
 */
export function requestAttributes(provider: Provider, model: string, call: GenerationCall) {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider === 'bedrock' ? 'aws.bedrock' : provider,
    'gen_ai.request.model': model,
    'gen_ai.request.max_tokens': call.maxOutputTokens,
    'gen_ai.output.type': 'json',
  };
}

/** The convention's input tokens include those of the cache; ours do not overlap. */
export function usageAttributes(usage: TokenUsage) {
  return {
    'gen_ai.usage.input_tokens': usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    'gen_ai.usage.output_tokens': usage.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage.cacheReadTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage.cacheWriteTokens,
  };
}
