import type { Provider } from './text-generator.ts';

/**
 * Who answered, as document 002 writes it: `bedrock-<model>`, `openai-<model>`, and with `-fallback` when OpenAI
 * answered in place of a Bedrock that is configured.
 */
export function modelUsed(
  answered: { provider: Provider; model: string },
  bedrockIsConfigured: boolean,
): string {
  const inPlaceOfBedrock = bedrockIsConfigured && answered.provider !== 'bedrock';
  return `${answered.provider}-${answered.model}${inPlaceOfBedrock ? '-fallback' : ''}`;
}
