import { inspect } from 'node:util';
import { openLlmServer, type LlmFault, type LlmServer } from '../../shared/emulators/llm-server.ts';
import type { JobError } from '../../shared/errors/job-error.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import type { TextGenerator } from '../../shared/text-generation/text-generator.ts';
import { answerSchema, callWith, failureOf, secret, setAwsCredentials, vendors } from '../support/vendors.ts';

const { signal } = new AbortController();
const timeoutMs = 300;

describe.each(vendors)('$provider behind the vendor port', ({ provider, dialect, open }) => {
  let server: LlmServer;
  let generator: TextGenerator;
  let forgetCredentials: () => void;

  beforeAll(() => {
    forgetCredentials = setAwsCredentials();
  });

  afterAll(() => forgetCredentials());

  beforeEach(async () => {
    server = await openLlmServer();
    generator = open(server);
  });

  afterEach(async () => {
    generator[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  const bodyOf = (index: number): Record<string, unknown> =>
    JSON.parse(server.requests[index]?.body ?? '') as Record<string, unknown>;

  it('answers with JSON that fits the schema, and with the tokens that the vendor counts', async () => {
    const answer = await generator.generate(callWith(), signal);
    expect(answerSchema.parse(JSON.parse(answer.text))).toBeDefined();
    expect(answer.usage.inputTokens).toBeGreaterThan(0);
    expect(answer.usage.outputTokens).toBeGreaterThan(0);
    expect(server.answered()[dialect]).toEqual({ calls: 1, usage: answer.usage });
    expect(generator.provider).toBe(provider);
    expect(server.requests[0]?.model).toBe(generator.model);
  });

  it('sends the system text and the messages as they are, in their order', async () => {
    const messages = [
      { role: 'user', text: 'First\n```\n{"risk_score": 1}\n``` ünï' },
      { role: 'assistant', text: 'no JSON' },
      { role: 'user', text: 'Again, please' },
    ] as const;
    const call = callWith({ messages });
    await generator.generate(call, signal);
    expect(server.requests[0]?.messages).toEqual(messages);
    expect(server.requests[0]?.system.startsWith(call.system)).toBe(true);
  });

  it('asks for the schema, the limit and the temperature in its own way', async () => {
    await generator.generate(callWith(), signal);
    const limits = { dialect, maxOutputTokens: 1_000, temperature: 0.7 };
    const body = bodyOf(0);
    if (provider === 'bedrock') {
      expect(body).toMatchObject({
        inferenceConfig: { maxTokens: limits.maxOutputTokens, temperature: limits.temperature },
        outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'insight' } } } },
      });
    } else {
      expect(body).toMatchObject({
        max_tokens: limits.maxOutputTokens,
        temperature: limits.temperature,
        response_format: { type: 'json_schema', json_schema: { name: 'insight' } },
      });
    }
    const wire = JSON.stringify(body).replaceAll('\\', '');
    for (const field of Object.keys(answerSchema.shape)) expect(wire).toContain(`"${field}":{"type"`);
  });

  it.each<[LlmFault, Partial<JobError>]>([
    [
      { kind: 'status', status: 500 },
      { kind: 'transient', code: 'LLM_FAILED' },
    ],
    [
      { kind: 'status', status: 429 },
      { kind: 'rate-limited', code: 'LLM_RATE_LIMITED', retryAfterMs: undefined },
    ],
    [
      { kind: 'status', status: 429, retryAfterSeconds: 7 },
      { kind: 'rate-limited', code: 'LLM_RATE_LIMITED', retryAfterMs: 7_000 },
    ],
    [
      { kind: 'status', status: 503 },
      { kind: 'unavailable', code: 'LLM_UNAVAILABLE' },
    ],
    [
      { kind: 'status', status: 529 },
      { kind: 'unavailable', code: 'LLM_UNAVAILABLE' },
    ],
    [
      { kind: 'status', status: 401 },
      { kind: 'unavailable', code: 'LLM_ACCESS_DENIED' },
    ],
    [
      { kind: 'status', status: 403 },
      { kind: 'unavailable', code: 'LLM_ACCESS_DENIED' },
    ],
    [
      { kind: 'status', status: 404 },
      { kind: 'unavailable', code: 'LLM_ACCESS_DENIED' },
    ],
    [
      { kind: 'status', status: 400 },
      { kind: 'permanent', code: 'LLM_REQUEST_REFUSED' },
    ],
    [
      { kind: 'status', status: 413 },
      { kind: 'permanent', code: 'LLM_REQUEST_REFUSED' },
    ],
    [
      { kind: 'status', status: 422 },
      { kind: 'permanent', code: 'LLM_REQUEST_REFUSED' },
    ],
    [{ kind: 'quoting' }, { kind: 'permanent', code: 'LLM_REQUEST_REFUSED' }],
    [{ kind: 'hang' }, { kind: 'transient', code: 'LLM_TIMEOUT' }],
    [{ kind: 'slow-drip' }, { kind: 'transient', code: 'LLM_TIMEOUT' }],
    [{ kind: 'reset' }, { kind: 'unavailable', code: 'LLM_UNAVAILABLE' }],
    [{ kind: 'cut-off' }, { kind: 'transient', code: 'LLM_ANSWER_BROKEN' }],
    [{ kind: 'empty' }, { kind: 'transient', code: 'LLM_ANSWER_BROKEN' }],
    [{ kind: 'oversized' }, { kind: 'transient', code: 'LLM_ANSWER_BROKEN' }],
  ])('says what %j means, after one request and in time', async (fault, expected) => {
    server.failNext(dialect, fault);
    const isEndedByTime = fault.kind === 'hang' || fault.kind === 'slow-drip';
    const call = callWith(isEndedByTime ? { timeoutMs } : {});
    expect(await failureOf(generator.generate(call, signal))).toMatchObject(expected);
    if (isEndedByTime) await server.abandoned(1);
    expect(server.requests).toHaveLength(1);
    expect(server.answered()[dialect].calls).toBe(0);
    // Nothing stays behind: the next call is answered.
    await expect(generator.generate(callWith(), signal)).resolves.toBeDefined();
  });

  it.each<[LlmFault, RegExp]>([
    [{ kind: 'truncated' }, /^\{"risk_score":\d+,"explanation":"/],
    [{ kind: 'wrong-shape' }, /^\{"verdict":/],
    [{ kind: 'fenced' }, /```json\n\{.*\}\n```/],
    [{ kind: 'no-json' }, /^I would rather/],
  ])('takes %j for an answer, which was paid for', async (fault, text) => {
    server.failNext(dialect, fault);
    const answer = await generator.generate(callWith(), signal);
    expect(answer.text).toMatch(text);
    expect(server.answered()[dialect]).toEqual({ calls: 1, usage: answer.usage });
  });

  it('says that a vendor cannot be reached where nothing listens', async () => {
    const { url, chatUrl } = server;
    await server[Symbol.asyncDispose]();
    server = await openLlmServer();
    using nowhere = open({ url, chatUrl });
    expect(await failureOf(nowhere.generate(callWith(), signal))).toMatchObject({
      kind: 'unavailable',
      code: 'LLM_UNAVAILABLE',
    });
  });

  it.each<LlmFault>([{ kind: 'hang' }, { kind: 'slow-drip' }])(
    'ends a call with %j on the wire when it is aborted, and makes none afterwards',
    async (fault) => {
      server.failNext(dialect, fault);
      const controller = new AbortController();
      const asked = failureOf(generator.generate(callWith(), controller.signal));
      await server.arrived(1);
      controller.abort();
      expect(await asked).toMatchObject({ kind: 'cancelled', code: 'ABORTED' });
      await server.abandoned(1);
      expect(await failureOf(generator.generate(callWith(), controller.signal))).toMatchObject({
        kind: 'cancelled',
      });
      expect(server.requests).toHaveLength(1);
    },
  );

  it.each<LlmFault>([{ kind: 'quoting' }, { kind: 'status', status: 401 }, { kind: 'cut-off' }])(
    'shows nothing of the request, the answer or the key in the error of %j',
    async (fault) => {
      const prompt = 'Student Ada Lovelace called.';
      server.failNext(dialect, fault);
      const call = callWith({ messages: [{ role: 'user', text: prompt }] });
      const error = await failureOf(generator.generate(call, signal));
      const lines: string[] = [];
      const log = createLogger({ process: 'test', level: 'info', write: (line) => lines.push(line) });
      log.error({ err: error }, 'failed');
      for (const shown of [inspect(error, { depth: 12, showHidden: true }), lines.join('')]) {
        expect(shown).toContain('JobError');
        for (const part of ['Lovelace', 'churn', 'risk_score', secret, 'Bearer', 'AKIALOCAL', 'scripted']) {
          expect(shown.toLowerCase()).not.toContain(part.toLowerCase());
        }
      }
    },
  );

  it('makes many calls at once', async () => {
    const release = server.hold();
    const calls = 64;
    const asked = Promise.all(
      Array.from({ length: calls }, (_, index) =>
        generator.generate(callWith({ messages: [{ role: 'user', text: `Student ${index}` }] }), signal),
      ),
    );
    await server.arrived(calls);
    release();
    const answers = await asked;
    expect(server.mostAtOnce()).toBe(calls);
    expect(new Set(answers.map(({ text }) => text)).size).toBeGreaterThan(calls / 2);
    expect(server.answered()[dialect].calls).toBe(calls);
  });

  it('prints nothing, whatever the environment asks of the SDK', async () => {
    const printed = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const warned = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const methods = (['debug', 'info', 'log', 'warn', 'error'] as const).map((method) =>
      jest.spyOn(console, method).mockReturnValue(),
    );
    process.env['OPENAI_LOG'] = 'debug';
    process.env['TOGETHER_LOG'] = 'debug';
    try {
      using talkative = open(server);
      await talkative.generate(callWith(), signal);
      for (const spy of [printed, warned, ...methods]) expect(spy).not.toHaveBeenCalled();
    } finally {
      Reflect.deleteProperty(process.env, 'OPENAI_LOG');
      Reflect.deleteProperty(process.env, 'TOGETHER_LOG');
      jest.restoreAllMocks();
    }
  });
});
