import type { LlmFault } from '../../../shared/emulators/llm-server.ts';
import {
  bedrockModel,
  failureOf,
  openaiModel,
  openTextRoom,
  runContext,
  verdictRequest,
  verdictSchema,
  type OpenedRoom,
  type TextRoom,
} from '../../support/open-text-room.ts';

let room: TextRoom;
let process: OpenedRoom;
beforeEach(async () => {
  room = await openTextRoom();
  process = room.open();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await room[Symbol.asyncDispose]();
});

const dialects = () => room.server.requests.map(({ dialect }) => dialect);

test('the first vendor answers, and nobody else is asked', async () => {
  const generated = await process.generation.generate(verdictRequest(), runContext());
  expect(verdictSchema.parse(generated.answer)).toEqual(generated.answer);
  expect(generated).toMatchObject({ provider: 'bedrock', model: bedrockModel, rank: 0, replayed: false });
  expect(generated.usage).toEqual(room.server.answered().converse.usage);
  expect(generated.costUsd).toBeGreaterThan(0);
  expect(dialects()).toEqual(['converse']);
  expect(process.generation.isConfigured).toBe(true);
});

interface Fallback {
  fault: LlmFault;
  /** How the first vendor's call stands in the journal and in the metrics. */
  state: string;
  errorCode: string;
  outcome: string;
  /** Enough for the next vendor on a busy machine. */
  timeoutMs?: number;
  /** Calls of the first vendor. */
  asked?: number;
}

test.each<[string, Fallback]>([
  [
    '500',
    { fault: { kind: 'status', status: 500 }, state: 'failed', errorCode: 'LLM_FAILED', outcome: 'error' },
  ],
  [
    // An answer had begun: it may be billed.
    'an answer that breaks off',
    { fault: { kind: 'cut-off' }, state: 'lost', errorCode: 'LLM_ANSWER_BROKEN', outcome: 'error' },
  ],
  [
    '503',
    {
      fault: { kind: 'status', status: 503 },
      state: 'failed',
      errorCode: 'LLM_UNAVAILABLE',
      outcome: 'error',
    },
  ],
  [
    '429 with Retry-After',
    {
      fault: { kind: 'status', status: 429, errorType: 'ThrottlingException', retryAfterSeconds: 30 },
      state: 'failed',
      errorCode: 'LLM_RATE_LIMITED',
      outcome: 'rate-limited',
    },
  ],
  [
    '403',
    {
      fault: { kind: 'status', status: 403, errorType: 'AccessDeniedException' },
      state: 'failed',
      errorCode: 'LLM_ACCESS_DENIED',
      outcome: 'access-denied',
    },
  ],
  [
    '404',
    {
      fault: { kind: 'status', status: 404, errorType: 'ResourceNotFoundException' },
      state: 'failed',
      errorCode: 'LLM_ACCESS_DENIED',
      outcome: 'access-denied',
    },
  ],
  [
    'a hang',
    {
      fault: { kind: 'hang' },
      state: 'lost',
      errorCode: 'LLM_TIMEOUT',
      outcome: 'timeout',
      timeoutMs: 5_000,
    },
  ],
  ['a reset', { fault: { kind: 'reset' }, state: 'failed', errorCode: 'LLM_UNAVAILABLE', outcome: 'error' }],
  [
    'truncated JSON, twice',
    {
      fault: { kind: 'truncated' },
      state: 'answered',
      errorCode: 'LLM_ANSWER_INVALID',
      outcome: 'invalid',
      asked: 2,
    },
  ],
  [
    'JSON of the wrong shape, twice',
    {
      fault: { kind: 'wrong-shape' },
      state: 'answered',
      errorCode: 'LLM_ANSWER_INVALID',
      outcome: 'invalid',
      asked: 2,
    },
  ],
])(
  'after %s the next vendor answers',
  async (_what, { fault, state, errorCode, outcome, timeoutMs, asked = 1 }) => {
    room.server.failAlways('converse', fault);
    const context = runContext();
    const generated = await process.generation.generate(
      verdictRequest(timeoutMs === undefined ? {} : { timeoutMs }),
      context,
    );
    expect(generated).toMatchObject({ provider: 'openai', model: openaiModel, rank: 1, replayed: false });
    expect(dialects()).toEqual([...Array<string>(asked).fill('converse'), 'chat']);
    expect(await room.rows(context.jobId)).toMatchObject([
      ...Array.from({ length: asked }, () => ({ provider: 'bedrock', state, error_code: errorCode })),
      { provider: 'openai', state: 'answered', error_code: null, ask: asked + 1 },
    ]);
    expect(await process.counted('bedrock', outcome)).toBe(asked);
    expect(await process.counted('openai', 'ok')).toBe(1);
  },
);

test.each([400, 422])('after %i no second vendor is asked', async (status) => {
  room.server.failNext('converse', { kind: 'status', status, errorType: 'ValidationException' });
  const context = runContext();
  const error = await failureOf(process.generation.generate(verdictRequest(), context));
  expect(error).toMatchObject({ kind: 'permanent', code: 'LLM_REQUEST_REFUSED' });
  expect(dialects()).toEqual(['converse']);
  expect(await room.rows(context.jobId)).toMatchObject([
    { state: 'failed', error_code: 'LLM_REQUEST_REFUSED' },
  ]);
  expect(await process.counted('bedrock', 'refused')).toBe(1);
});

test('a refusal that quotes the request is quoted nowhere', async () => {
  room.server.failNext('converse', { kind: 'quoting' });
  const secret = 'the case of Mrs Quoted';
  const error = await failureOf(process.generation.generate(verdictRequest({ user: secret }), runContext()));
  expect(error.message).not.toContain(secret);
  expect(room.logLines.join('')).not.toContain(secret);
});

test.each<[string, LlmFault]>([['in a code fence with prose around it', { kind: 'fenced' }]])(
  'an answer %s is an answer',
  async (_what, fault) => {
    room.server.failNext('converse', fault);
    const generated = await process.generation.generate(verdictRequest(), runContext());
    expect(verdictSchema.parse(generated.answer)).toEqual(generated.answer);
    expect(dialects()).toEqual(['converse']);
  },
);

test('an answer that does not fit is told what is wrong with it, once, and both calls are paid', async () => {
  room.server.failNext('converse', { kind: 'wrong-shape' });
  const context = runContext();
  const generated = await process.generation.generate(verdictRequest(), context);
  expect(generated).toMatchObject({ provider: 'bedrock', rank: 0 });
  const [first, second] = room.server.requests;
  expect(first?.messages).toHaveLength(1);
  expect(second?.messages).toMatchObject([
    { role: 'user', text: 'Judge the risk of case 7.' },
    { role: 'assistant', text: expect.stringContaining('verdict') },
    { role: 'user', text: expect.stringMatching(/- score: .*\n- reasons: /) },
  ]);
  const rows = await room.rows(context.jobId);
  expect(rows).toMatchObject([
    { ask: 1, state: 'answered', error_code: 'LLM_ANSWER_INVALID', cost_usd: expect.stringMatching(/[1-9]/) },
    { ask: 2, state: 'answered', error_code: null, cost_usd: expect.stringMatching(/[1-9]/) },
  ]);
  expect(rows[0]?.request_hash).not.toBe(rows[1]?.request_hash);
});

test('prose without JSON is asked again, too', async () => {
  room.server.failNext('converse', { kind: 'no-json' });
  const generated = await process.generation.generate(verdictRequest(), runContext());
  expect(generated.rank).toBe(0);
  expect(room.server.requests[1]?.messages[2]?.text).toContain(
    '- the answer is not one complete JSON object',
  );
});

test('with every vendor down the job is told to try again later', async () => {
  room.server.failAlways('converse', { kind: 'status', status: 500 });
  room.server.failAlways('chat', { kind: 'status', status: 429, retryAfterSeconds: 20 });
  const error = await failureOf(process.generation.generate(verdictRequest(), runContext()));
  expect(error).toMatchObject({ kind: 'transient', code: 'LLM_FAILED' });
});

test('a vendor that limits us is left alone for as long as it says', async () => {
  room.server.failNext('converse', { kind: 'status', status: 429, retryAfterSeconds: 600 });
  await process.generation.generate(verdictRequest(), runContext());
  await process.generation.generate(verdictRequest(), runContext());
  expect(dialects()).toEqual(['converse', 'chat', 'chat']);
  room.server.failNext('chat', { kind: 'status', status: 429, retryAfterSeconds: 90 });
  const error = await failureOf(process.generation.generate(verdictRequest(), runContext()));
  expect(error).toMatchObject({ kind: 'unavailable', code: 'NO_VENDOR_NOW' });
  expect(error.retryAfterMs).toBeGreaterThan(30_000);
  expect(error.retryAfterMs).toBeLessThanOrEqual(90_000);
});

test('without access to any vendor the job waits', async () => {
  room.server.failAlways('converse', { kind: 'status', status: 403, errorType: 'AccessDeniedException' });
  room.server.failAlways('chat', { kind: 'status', status: 401 });
  const error = await failureOf(process.generation.generate(verdictRequest(), runContext()));
  expect(error).toMatchObject({ kind: 'unavailable', code: 'NO_VENDOR_NOW', retryAfterMs: 10_000 });
});

test('a circuit opens after five failures, shows it, and keeps calls away; with all open the job waits', async () => {
  // The clocks by which circuits go stand still, however long all this takes.
  jest.spyOn(Date, 'now').mockReturnValue(Date.now());
  jest.spyOn(performance, 'now').mockReturnValue(performance.now());
  room.server.failAlways('converse', { kind: 'status', status: 500 });
  for (let call = 0; call < 5; call += 1) {
    await process.generation.generate(verdictRequest(), runContext());
  }
  const asked = room.server.requests.length;
  expect(await process.metrics.registry.metrics()).toContain(
    `presage_circuit_state{circuit="bedrock/${bedrockModel}"} 2`,
  );
  await process.generation.generate(verdictRequest(), runContext());
  expect(dialects().slice(asked)).toEqual(['chat']);

  room.server.failAlways('chat', { kind: 'status', status: 500 });
  for (let call = 0; call < 5; call += 1) {
    const error = await failureOf(process.generation.generate(verdictRequest(), runContext()));
    expect(error.code).toBe('LLM_FAILED');
  }
  const askedInAll = room.server.requests.length;
  const context = runContext();
  const error = await failureOf(process.generation.generate(verdictRequest(), context));
  expect(error).toMatchObject({ kind: 'unavailable', code: 'NO_VENDOR_NOW', retryAfterMs: 10_000 });
  expect(room.server.requests).toHaveLength(askedInAll);
  expect(await room.rows(context.jobId)).toEqual([]);
});

test('without a vendor there is no answer', async () => {
  const { generation } = room.open({ generators: [] });
  expect(generation.isConfigured).toBe(false);
  const error = await failureOf(generation.generate(verdictRequest(), runContext()));
  expect(error).toMatchObject({ kind: 'permanent', code: 'LLM_NOT_CONFIGURED' });
});

test('an aborted job hangs up, asks nobody else and leaves no lease', async () => {
  room.server.failAlways('converse', { kind: 'hang' });
  const control = new AbortController();
  const context = runContext({ signal: control.signal });
  const generating = failureOf(process.generation.generate(verdictRequest(), context));
  await room.server.arrived(1);
  control.abort(new Error('shutting down'));
  expect(await generating).toMatchObject({ kind: 'cancelled', code: 'ABORTED' });
  await room.server.abandoned(1);
  expect(dialects()).toEqual(['converse']);
  expect(await room.rows(context.jobId)).toMatchObject([{ state: 'lost', error_code: 'ABORTED' }]);
  expect(await process.counted('bedrock', 'cancelled')).toBe(1);
});
