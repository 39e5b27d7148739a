import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import type { GenerationCall, Provider } from '../../shared/text-generation/text-generator.ts';
import { answerSchema, callWith, failureOf, vendors } from '../support/vendors.ts';

const { signal } = new AbortController();

describe('chat completions', () => {
  let server: LlmServer;

  beforeEach(async () => {
    server = await openLlmServer();
  });

  afterEach(() => server[Symbol.asyncDispose]());

  function open(provider: Provider, model: string) {
    const vendor = vendors.find((candidate) => candidate.provider === provider);
    if (!vendor) throw new Error('no such vendor');
    return vendor.open(server, model);
  }

  async function ask(provider: Provider, model: string, changes: Partial<GenerationCall> = {}) {
    using generator = open(provider, model);
    const { text } = await generator.generate(callWith(changes), signal);
    const request = server.requests.at(-1);
    return { text, request, body: JSON.parse(request?.body ?? '') as Record<string, unknown> };
  }

  it("asks OpenAI's models in strict mode, without the limits that some of them refuse", async () => {
    const { body, request } = await ask('openai', 'gpt-4.1');
    expect(body['response_format']).toMatchObject({
      json_schema: {
        strict: true,
        schema: {
          required: ['risk_score', 'explanation', 'recommendations'],
          additionalProperties: false,
          properties: {
            risk_score: { type: 'number', description: '(constraints: {"minimum":0,"maximum":100})' },
          },
        },
      },
    });
    expect(request?.system).toBe(callWith().system);
    expect(request?.headers.authorization).toMatch(/^Bearer /);
  });

  it('does without strict mode where a property may be absent', async () => {
    const jsonSchema = { type: 'object', properties: { note: { type: 'string' } } };
    const { body } = await ask('openai', 'gpt-4.1', { answer: { name: 'insight', jsonSchema } });
    expect(body['response_format']).toMatchObject({ json_schema: { strict: false } });
  });

  it.each(['gpt-5', 'o3-mini', 'gpt-5-nano-2025-08-07'])(
    'gives %s no temperature, the newer limit, and little time to think',
    async (model) => {
      const { body } = await ask('openai', model);
      expect(body).toMatchObject({ max_completion_tokens: 1_000, reasoning_effort: 'low' });
      expect(body).not.toHaveProperty('temperature');
      expect(body).not.toHaveProperty('max_tokens');
    },
  );

  it.each(['gpt-4', 'gpt-3.5-turbo'])(
    'tells %s the schema in words, as it knows no other way',
    async (model) => {
      const { body, request, text } = await ask('openai', model);
      expect(body).not.toHaveProperty('response_format');
      expect(request?.system).toContain('"recommendations"');
      expect(answerSchema.safeParse(JSON.parse(text)).success).toBe(true);
    },
  );

  it("tells Together's models the schema in words too, because its schema mode hides it from them", async () => {
    const { body, request } = await ask('together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo');
    expect(body).toHaveProperty('response_format.json_schema.schema.properties.explanation');
    expect(request?.system).toContain('"recommendations"');
  });

  it('takes the wait in milliseconds where it is given, else the one in seconds', async () => {
    using generator = open('openai', 'gpt-4.1');
    server.failNext('chat', { kind: 'status', status: 429, retryAfterSeconds: 9, retryAfterMs: 250 });
    expect(await failureOf(generator.generate(callWith(), signal))).toMatchObject({ retryAfterMs: 250 });
  });

  it('counts an account without credit among those that may not ask, not among the hurried', async () => {
    using generator = open('openai', 'gpt-4.1');
    server.failNext('chat', {
      kind: 'status',
      status: 429,
      errorType: 'insufficient_quota',
      retryAfterMs: 9,
    });
    expect(await failureOf(generator.generate(callWith(), signal))).toMatchObject({
      kind: 'unavailable',
      code: 'LLM_ACCESS_DENIED',
      retryAfterMs: undefined,
    });
  });

  it.each([
    [402, 'LLM_ACCESS_DENIED'],
    [408, 'LLM_TIMEOUT'],
    [409, 'LLM_FAILED'],
    [502, 'LLM_FAILED'],
    [504, 'LLM_TIMEOUT'],
    [524, 'LLM_TIMEOUT'],
  ])('knows status %i as %s', async (status, code) => {
    using generator = open('together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo');
    server.failNext('chat', { kind: 'status', status });
    expect(await failureOf(generator.generate(callWith(), signal))).toMatchObject({ code });
  });
});
