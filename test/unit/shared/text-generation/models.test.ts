import { bedrockModel } from '../../../../shared/text-generation/bedrock-model.ts';
import { openaiModel } from '../../../../shared/text-generation/openai-model.ts';

const profile = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile';

test.each([
  ['global.anthropic.claude-haiku-4-5-20251001-v1:0', 'json-schema', true],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'json-schema', true],
  [`${profile}/us.anthropic.claude-opus-4-6-v1`, 'json-schema', true],
  ['anthropic.claude-opus-4-7-v1', 'json-schema', false],
  ['anthropic.claude-opus-4-10', 'json-schema', false],
  ['us.anthropic.claude-opus-5', 'json-schema', false],
  ['anthropic.claude-3-5-haiku-20241022:0', 'tool', true],
  ['anthropic.claude-3-5-haiku-20241022-v1:0', 'tool', true],
  ['anthropic.claude-3-haiku-20240307-v1:0', 'tool', true],
  ['eu.anthropic.claude-3-7-sonnet-20250219-v1:0', 'tool', true],
  ['us.anthropic.claude-sonnet-4-20250514-v1:0', 'tool', true],
  ['us.anthropic.claude-opus-4-1-20250805-v1:0', 'tool', true],
  ['amazon.nova-lite-v1:0', 'tool', true],
  ['mistral.mistral-large-2407-v1:0', 'tool', true],
  ['anthropic.claude-v2:1', 'words', true],
  ['anthropic.claude-instant-v1', 'words', true],
  ['anthropic.claude-of-tomorrow', 'words', false],
  ['us.meta.llama3-3-70b-instruct-v1:0', 'words', true],
  ['amazon.titan-text-express-v1', 'words', true],
  ['arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3', 'words', false],
  ['somebody.something-new-v1', 'words', true],
])('Bedrock: %s is asked by %s, temperature: %s', (id, answerForm, takesTemperature) => {
  expect(bedrockModel(id)).toMatchObject({ answerForm, takesTemperature });
});

test('Bedrock: only text models of an earlier time have no place for a system text', () => {
  expect(bedrockModel('amazon.titan-text-lite-v1').takesSystem).toBe(false);
  expect(bedrockModel('mistral.mistral-7b-instruct-v0:2').takesSystem).toBe(false);
  expect(bedrockModel('cohere.command-text-v14').takesSystem).toBe(false);
  expect(bedrockModel('cohere.command-r-plus-v1:0').takesSystem).toBe(true);
  expect(bedrockModel('anthropic.claude-v2').takesSystem).toBe(true);
});

test.each([
  ['gpt-4.1', 'json-schema', false, 'max_tokens'],
  ['gpt-4o', 'json-schema', false, 'max_tokens'],
  ['gpt-4o-mini-2024-07-18', 'json-schema', false, 'max_tokens'],
  ['ft:gpt-4o-mini-2024-07-18:org::id', 'json-schema', false, 'max_tokens'],
  ['gpt-4o-2024-05-13', 'words', false, 'max_tokens'],
  ['gpt-4', 'words', false, 'max_tokens'],
  ['gpt-4-0613', 'words', false, 'max_tokens'],
  ['gpt-4-turbo', 'words', false, 'max_tokens'],
  ['gpt-3.5-turbo-0125', 'words', false, 'max_tokens'],
  ['o1', 'json-schema', true, 'max_completion_tokens'],
  ['o4-mini', 'json-schema', true, 'max_completion_tokens'],
  ['gpt-5', 'json-schema', true, 'max_completion_tokens'],
  ['openai/gpt-5.1', 'json-schema', true, 'max_completion_tokens'],
  ['gpt-5-chat-latest', 'json-schema', false, 'max_completion_tokens'],
  ['openai/gpt-oss-20b', 'json-schema', false, 'max_tokens'],
  ['meta-llama/Llama-3.1-8B-Instruct', 'json-schema', false, 'max_tokens'],
  ['llama3.2:3b', 'json-schema', false, 'max_tokens'],
  ['olmo2', 'json-schema', false, 'max_tokens'],
])('OpenAI: %s is asked by %s, reasoning: %s, with %s', (id, answerForm, isReasoning, limit) => {
  expect(openaiModel(id)).toEqual({ answerForm, isReasoning, limit });
});
