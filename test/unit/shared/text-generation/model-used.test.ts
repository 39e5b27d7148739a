import { modelUsed } from '../../../../shared/text-generation/model-used.ts';

describe('modelUsed', () => {
  it.each([
    ['bedrock', 'anthropic.claude-haiku', true, 'bedrock-anthropic.claude-haiku'],
    ['openai', 'gpt-4', true, 'openai-gpt-4-fallback'],
    ['openai', 'gpt-4', false, 'openai-gpt-4'],
  ] as const)('%s with %s, Bedrock configured: %s', (provider, model, bedrockIsConfigured, expected) => {
    expect(modelUsed({ provider, model }, bedrockIsConfigured)).toBe(expected);
  });
});
