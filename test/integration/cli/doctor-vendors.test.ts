import { openLlmServer } from '../../../shared/emulators/llm-server.ts';
import { openSagemakerServer } from '../../../shared/emulators/sagemaker-server.ts';
import { openDoctor, type Doctor } from '../../support/open-doctor.ts';

let doctor: Doctor;
beforeAll(async () => {
  doctor = await openDoctor();
});
afterAll(() => doctor[Symbol.asyncDispose]());

describe('SageMaker', () => {
  const configured = { SAGEMAKER_ENDPOINT_NAME: 'call-times' };

  test('credentials, without asking the machine for a role', async () => {
    const nobodyElse = { ...configured, OPENAI_API_KEY: '', OPENAI_BASE_URL: '' };
    const { exitCode, amiss: all } = await doctor.examine(nobodyElse, ['--deep']);
    const amiss = all.filter((line) => line.includes('sagemaker'));
    expect(exitCode).toBe(1);
    expect(amiss).toEqual(['fail sagemaker credentials: no AWS credentials: the default pattern answers']);
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'own';
    try {
      expect(await doctor.examine(configured)).toMatchObject({ exitCode: 0, amiss: [] });
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });

  test('the endpoint is called with --deep only, once', async () => {
    await using server = await openSagemakerServer();
    await using model = await openLlmServer();
    const local = {
      ...configured,
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: server.url,
      OPENAI_BASE_URL: model.chatUrl,
      TOGETHER_BASE_URL: model.chatUrl,
    };
    expect((await doctor.examine(local)).exitCode).toBe(0);
    expect(server.requests).toHaveLength(0);
    const deep = await doctor.examine(local, ['--deep']);
    expect(deep.all).toContain('ok sagemaker endpoint: answers with a call time');
    expect(server.requests).toHaveLength(1);
    server.failNext({ kind: 'status', status: 403 });
    const { exitCode, amiss } = await doctor.examine(local, ['--deep']);
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringContaining('fail sagemaker endpoint: The credentials for the endpoint'),
    ]);
  });
});

describe('Bedrock and OpenAI', () => {
  const aboutModels = (lines: readonly string[]) =>
    lines.filter((line) => /^\w+ (bedrock|openai|llm) /.test(line));
  const withBedrock = { USE_BEDROCK: 'true' };

  test('credentials that are not found, and what follows from it', async () => {
    const { exitCode, all } = await doctor.examine(withBedrock);
    expect(exitCode).toBe(0);
    expect(aboutModels(all)).toEqual([
      'warn bedrock credentials: no AWS credentials within 2 s: Bedrock is not asked',
      'ok openai key: set',
      'ok llm vendors: asked in this order: OpenAI',
    ]);
  });

  test('nobody who can be asked: a warning, or a failure where the baseline may not answer', async () => {
    const nobody = { OPENAI_API_KEY: '', OPENAI_BASE_URL: '' };
    expect(await doctor.examine({ ...nobody, ...withBedrock })).toMatchObject({
      exitCode: 0,
      amiss: [expect.stringMatching(/^warn llm vendors: .* degraded baseline$/)],
    });
    expect(await doctor.examine({ ...nobody, DEGRADED_ANSWERS: 'deny' })).toMatchObject({
      exitCode: 1,
      amiss: [expect.stringMatching(/^fail llm vendors: .* every page fails$/)],
    });
  });

  test('each model that is configured is asked one small question, with --deep only', async () => {
    await using server = await openLlmServer();
    await using together = await openLlmServer();
    const local = {
      ...withBedrock,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url,
      OPENAI_BASE_URL: server.chatUrl,
      TOGETHER_BASE_URL: together.chatUrl,
    };
    expect(await doctor.examine(local)).toMatchObject({ exitCode: 0, amiss: [] });
    expect(server.requests).toHaveLength(0);
    expect(aboutModels((await doctor.examine(local, ['--deep'])).all)).toEqual([
      'ok bedrock credentials: found',
      'ok bedrock model: answers',
      'ok bedrock content model: answers',
      'ok openai key: set',
      'ok openai model: answers',
      'ok llm vendors: asked in this order: Bedrock, OpenAI',
    ]);
    expect(server.requests.map(({ dialect }) => dialect).sort()).toEqual(['chat', 'converse', 'converse']);

    const oneModel = { ...local, CONTENT_MODEL_ID: 'model-of-both', BEDROCK_MODEL_ID: 'model-of-both' };
    server.failNext('converse', { kind: 'status', status: 403 });
    server.failNext('chat', { kind: 'status', status: 429 });
    const { exitCode, amiss, text } = await doctor.examine(oneModel, ['--deep']);
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringMatching(/^fail bedrock model: .*credentials.* \(LLM_ACCESS_DENIED\)$/),
      expect.stringMatching(/^warn openai model: .* \(LLM_RATE_LIMITED\)$/),
    ]);
    expect(text).toContain('Enable access to the model in the Bedrock console');

    server.failNext('converse', { kind: 'quoting' }, 2);
    server.failNext('chat', { kind: 'status', status: 401 });
    const refused = await doctor.examine(local, ['--deep']);
    expect(refused.amiss).toEqual([
      expect.stringMatching(/^fail bedrock model: .* \(LLM_REQUEST_REFUSED\)$/),
      expect.stringMatching(/^fail bedrock content model: .* \(LLM_REQUEST_REFUSED\)$/),
      expect.stringMatching(/^fail openai model: .* \(LLM_ACCESS_DENIED\)$/),
    ]);
    expect(refused.text).toContain('Is BEDROCK_MODEL_ID right?');
    expect(refused.text).toContain('Is CONTENT_MODEL_ID right?');
    expect(refused.text).not.toContain('sk-secret');
  });
});

describe('Together', () => {
  const aboutTogether = (lines: readonly string[]) => lines.filter((line) => line.includes(' together '));
  const nobody = { TOGETHER_AI_KEY: '', TOGETHER_BASE_URL: '' };

  test('not configured: a warning, or a failure where statistics may not stand in for the model', async () => {
    expect(await doctor.examine(nobody)).toMatchObject({
      exitCode: 0,
      amiss: ['warn together key: not configured: statistics alone propose what users tend to do'],
    });
    expect(await doctor.examine({ ...nobody, DEGRADED_ANSWERS: 'deny' })).toMatchObject({
      exitCode: 1,
      amiss: [expect.stringMatching(/^fail together key: .* looks at users fail$/)],
    });
    for (const name of ['TOGETHER_AI_KEY', 'TOGETHER_API_KEY']) {
      const { all } = await doctor.examine({ ...nobody, [name]: 'tk-secret' });
      expect(aboutTogether(all)).toEqual(['ok together key: set']);
    }
  });

  test('the model is asked one small question, with --deep only', async () => {
    await using server = await openLlmServer();
    const local = { TOGETHER_BASE_URL: server.chatUrl, OPENAI_BASE_URL: server.chatUrl };
    expect((await doctor.examine(local)).exitCode).toBe(0);
    expect(server.requests).toHaveLength(0);
    const { exitCode, all } = await doctor.examine({ ...local, LLAMA_MODEL_ID: 'llama-of-the-test' }, [
      '--deep',
    ]);
    expect(exitCode).toBe(0);
    expect(aboutTogether(all)).toEqual([
      'ok together key: for a server of its own (TOGETHER_BASE_URL)',
      'ok together model: answers',
    ]);
    expect(server.requests.filter(({ model }) => model === 'llama-of-the-test')).toHaveLength(1);

    await using refusing = await openLlmServer();
    refusing.failNext('chat', { kind: 'status', status: 401 });
    const denied = await doctor.examine({ ...local, TOGETHER_BASE_URL: refusing.chatUrl }, ['--deep']);
    expect(denied).toMatchObject({
      exitCode: 1,
      amiss: [expect.stringMatching(/^fail together model: .* \(LLM_ACCESS_DENIED\)$/)],
    });
    expect(denied.text).toContain('Is TOGETHER_AI_KEY right');
    expect(denied.text).not.toContain('tk-secret');
  });
});
