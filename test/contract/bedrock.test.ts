import { z } from 'zod';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import { openBedrock } from '../../shared/text-generation/bedrock.ts';
import type { GenerationCall, TextGenerator } from '../../shared/text-generation/text-generator.ts';
import { answerSchema, callWith, failureOf, setAwsCredentials, vendors } from '../support/vendors.ts';

const { signal } = new AbortController();
const native = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const documented = 'anthropic.claude-3-5-haiku-20241022:0';

const sent = z.looseObject({
  system: z.array(z.object({ text: z.string() })).optional(),
  inferenceConfig: z.object({ maxTokens: z.number(), temperature: z.number().optional() }),
  outputConfig: z
    .object({
      textFormat: z.object({ structure: z.object({ jsonSchema: z.object({ schema: z.string() }) }) }),
    })
    .optional(),
  toolConfig: z.unknown().optional(),
});

describe('openBedrock', () => {
  let server: LlmServer;
  let forgetCredentials: () => void;

  beforeAll(() => {
    forgetCredentials = setAwsCredentials();
  });

  afterAll(() => forgetCredentials());

  beforeEach(async () => {
    server = await openLlmServer();
  });

  afterEach(() => server[Symbol.asyncDispose]());

  function open(model: string): TextGenerator {
    const vendor = vendors.find(({ provider }) => provider === 'bedrock');
    if (!vendor) throw new Error('no such vendor');
    return vendor.open(server, model);
  }

  async function ask(model: string, changes: Partial<GenerationCall> = {}) {
    using generator = open(model);
    const { text } = await generator.generate(callWith(changes), signal);
    const request = server.requests.at(-1);
    return { text, request, body: sent.parse(JSON.parse(request?.body ?? '')) };
  }

  it('speaks HTTP/1.1 to Bedrock', async () => {
    // A server that knows only HTTP/1.1 has answered, and connections are kept for the next call.
    const { request } = await ask(native);
    expect(request?.headers['connection']).toBe('keep-alive');
    expect(request?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIALOCAL\/.*\/bedrock\//);
  });

  it('asks in schema mode without the limits that this mode refuses, which it tells the model instead', async () => {
    const { body, text } = await ask(native);
    const schema = body.outputConfig?.textFormat.structure.jsonSchema.schema ?? '';
    expect(JSON.parse(schema)).toMatchObject({
      additionalProperties: false,
      properties: {
        risk_score: { type: 'number', description: '(constraints: {"minimum":0,"maximum":100})' },
        recommendations: { description: '(constraints: {"minItems":2,"maxItems":3})' },
      },
    });
    expect(body.toolConfig).toBeUndefined();
    expect(answerSchema.safeParse(JSON.parse(text)).success).toBe(true);
  });

  it.each([documented, 'us.anthropic.claude-opus-4-1-20250805-v1:0', 'amazon.nova-pro-v1:0'])(
    'forces %s to use a tool, and takes what the tool was given for the answer',
    async (model) => {
      const { body, text, request } = await ask(model);
      expect(request?.model).toBe(model);
      expect(body.outputConfig).toBeUndefined();
      expect(body.toolConfig).toMatchObject({
        tools: [{ toolSpec: { name: 'insight', inputSchema: { json: { type: 'object' } } } }],
        toolChoice: { any: {} },
      });
      expect(answerSchema.safeParse(JSON.parse(text)).success).toBe(true);
    },
  );

  it('takes the answer as text from a model that was told to use a tool and did not', async () => {
    server.failNext('converse', { kind: 'fenced' });
    expect((await ask(documented)).text).toContain('```json');
  });

  it('tells a model that has neither the schema in words', async () => {
    const { body, text } = await ask('us.meta.llama3-3-70b-instruct-v1:0');
    expect(body.outputConfig).toBeUndefined();
    expect(body.toolConfig).toBeUndefined();
    expect(body.system?.[0]?.text).toContain('"recommendations"');
    expect(answerSchema.safeParse(JSON.parse(text)).success).toBe(true);
  });

  it('puts the system text before the first message of a model that has no place for it', async () => {
    const { body, request, text } = await ask('amazon.titan-text-express-v1');
    expect(body.system).toBeUndefined();
    expect(request?.messages[0]?.text).toMatch(/^You judge churn risk[^]*Student stu_4532 called/);
    expect(answerSchema.safeParse(JSON.parse(text)).success).toBe(true);
  });

  it('gives no temperature to a model that refuses one', async () => {
    const { body } = await ask('us.anthropic.claude-opus-4-7-v1');
    expect(body.inferenceConfig).toEqual({ maxTokens: 1_000 });
  });

  it('asks again after an empty answer', async () => {
    const messages = [
      { role: 'user', text: 'First' },
      { role: 'assistant', text: ' \n' },
      { role: 'user', text: 'Again' },
    ] as const;
    await expect(ask(native, { messages })).resolves.toBeDefined();
  });

  it('takes an inference profile by its ARN', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6';
    const { request, body } = await ask(arn);
    expect(request?.model).toBe(arn);
    expect(body.inferenceConfig.temperature).toBeUndefined();
  });

  it.each([
    ['ThrottlingException', 400, 'LLM_RATE_LIMITED'],
    ['ServiceQuotaExceededException', 400, 'LLM_RATE_LIMITED'],
    ['ModelNotReadyException', 429, 'LLM_UNAVAILABLE'],
    ['ModelTimeoutException', 408, 'LLM_FAILED'],
    ['ModelErrorException', 424, 'LLM_FAILED'],
    ['ExpiredTokenException', 400, 'LLM_ACCESS_DENIED'],
    ['UnrecognizedClientException', 403, 'LLM_ACCESS_DENIED'],
    ['ResourceNotFoundException', 404, 'LLM_ACCESS_DENIED'],
    ['ValidationException', 400, 'LLM_REQUEST_REFUSED'],
    ['AnErrorOfTomorrow', 400, 'LLM_REQUEST_REFUSED'],
    ['AnErrorOfTomorrow', 500, 'LLM_FAILED'],
  ])('knows %s with status %i as %s', async (errorType, status, code) => {
    server.failNext('converse', { kind: 'status', status, errorType });
    using generator = open(native);
    expect(await failureOf(generator.generate(callWith(), signal))).toMatchObject({ code });
  });

  it('says that access is denied, and calls nobody, where there are no credentials', async () => {
    const isolated = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_PROFILE: '',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    };
    const before = { ...process.env };
    Object.assign(process.env, isolated);
    try {
      using generator = openBedrock({
        region: 'us-east-1',
        endpointUrl: 'http://bedrock.invalid',
        model: native,
        mayAskInstanceMetadata: false,
      });
      expect(await failureOf(generator.generate(callWith(), signal))).toMatchObject({
        kind: 'unavailable',
        code: 'LLM_ACCESS_DENIED',
      });
    } finally {
      for (const name of Object.keys(isolated)) {
        const value = before[name];
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  });
});
