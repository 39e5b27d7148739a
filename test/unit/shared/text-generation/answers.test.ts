import { bedrockAnswer } from '../../../../shared/text-generation/bedrock-answer.ts';
import { chatAnswer } from '../../../../shared/text-generation/chat-answer.ts';
import type { GenerationCall } from '../../../../shared/text-generation/text-generator.ts';

const call: GenerationCall = {
  system: 'x'.repeat(10),
  messages: [{ role: 'user', text: 'y'.repeat(11) }],
  answer: { name: 'insight', jsonSchema: {} },
  maxOutputTokens: 100,
  temperature: 0,
  timeoutMs: 1_000,
};
const estimated = { inputTokens: 6, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 };

const converse = (content: unknown, usage?: unknown) =>
  bedrockAnswer({ output: { message: { role: 'assistant', content } }, usage }, call);
const chat = (message: unknown, usage?: unknown) => chatAnswer({ choices: [{ message }], usage }, call);

describe('bedrockAnswer', () => {
  it('counts the four kinds as Bedrock does, beside each other', () => {
    const usage = { inputTokens: 5, outputTokens: 7, cacheReadInputTokens: 11, cacheWriteInputTokens: 13 };
    expect(converse([{ text: '{}' }], { ...usage, totalTokens: 36 })?.usage).toEqual({
      inputTokens: 5,
      outputTokens: 7,
      cacheReadTokens: 11,
      cacheWriteTokens: 13,
    });
  });

  it('takes what a tool was given before any text, and leaves out what the model thought', () => {
    const thought = { reasoningContent: { reasoningText: { text: '{"a":2}' } } };
    const toolUse = { toolUse: { toolUseId: '1', name: 'insight', input: { a: 1 } } };
    expect(converse([thought, { text: 'Using the tool.' }, toolUse])?.text).toBe('{"a":1}');
    expect(converse([thought, { text: '{"a"' }, { text: ':1}' }])?.text).toBe('{"a":1}');
    expect(converse([])?.text).toBe('');
  });

  it.each([undefined, null, { inputTokens: -1, outputTokens: 'many' }])(
    'estimates the tokens when it is told %j',
    (usage) => {
      expect(converse([{ text: 'z'.repeat(5) }], usage)?.usage).toEqual(estimated);
    },
  );

  it.each([undefined, null, '', 'text', {}, { output: {} }, { output: { message: { content: 'text' } } }])(
    'takes %j for no answer',
    (response) => {
      expect(bedrockAnswer(response, call)).toBeUndefined();
    },
  );
});

describe('chatAnswer', () => {
  it('takes the tokens of the cache out of those of the prompt', () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 7,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    };
    expect(chat({ content: '{}' }, usage)?.usage).toEqual({
      inputTokens: 10,
      outputTokens: 7,
      cacheReadTokens: 60,
      cacheWriteTokens: 30,
    });
    const impossible = { ...usage, prompt_tokens_details: { cached_tokens: 160 } };
    expect(chat({ content: '{}' }, impossible)?.usage).toMatchObject({
      inputTokens: 0,
      cacheReadTokens: 100,
    });
    expect(chat({ content: '{}' }, { ...usage, prompt_tokens_details: null })?.usage).toMatchObject({
      inputTokens: 100,
    });
  });

  it('takes the text, else what a tool was given, else nothing', () => {
    const toolCalls = { tool_calls: [{ function: { name: 'insight', arguments: '{"a":1}' } }] };
    expect(chat({ content: 'text', ...toolCalls })?.text).toBe('text');
    expect(chat({ content: null, ...toolCalls })?.text).toBe('{"a":1}');
    expect(chat({ content: null, refusal: 'I may not.' })?.text).toBe('');
  });

  it.each([undefined, null, { prompt_tokens: 'many' }])(
    'estimates the tokens when it is told %j',
    (usage) => {
      expect(chat({ content: 'z'.repeat(5) }, usage)?.usage).toEqual(estimated);
    },
  );

  it.each([undefined, null, 'text', {}, { choices: [] }, { choices: [{}] }, { error: { message: 'no' } }])(
    'takes %j for no answer',
    (response) => {
      expect(chatAnswer(response, call)).toBeUndefined();
    },
  );
});
