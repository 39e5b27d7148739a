import { JobError } from '../../../shared/errors/job-error.ts';
import {
  openSagemakerServer,
  type EndpointFault,
  type SagemakerServer,
} from '../../../shared/emulators/sagemaker-server.ts';
import { optimalCallTimeSchema } from '../../../shared/contracts/call-time-prediction.ts';
import {
  openSagemakerEndpoint,
  type CallTimeEndpoint,
} from '../../../shared/sagemaker/sagemaker-endpoint.ts';
import { randomPhoneNumber } from '../../support/open-call-time.ts';
import { busyMachineMs } from '../../support/until.ts';

/** So little that a call which hangs is soon over; calls that are answered have all the time of a busy machine. */
const timeoutMs = 300;
const question = { phoneNumber: '+972501234567', timezone: 'Asia/Jerusalem', metadata: {} };

function openEndpoint(endpointUrl: string, limits = { timeoutMs: busyMachineMs }): CallTimeEndpoint {
  return openSagemakerEndpoint({
    region: 'us-east-1',
    endpointName: 'call-times',
    endpointUrl,
    parallelism: 8,
    ...limits,
  });
}

async function failureOf(asked: Promise<unknown>): Promise<JobError> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof JobError) return error;
  throw new Error('no JobError was thrown', { cause: error });
}

describe('openSagemakerEndpoint', () => {
  let server: SagemakerServer;
  let endpoint: CallTimeEndpoint;

  // A machine without credentials would be asked for its role first, which takes a second where there is none.
  beforeAll(() => {
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  });

  beforeEach(async () => {
    server = await openSagemakerServer();
    endpoint = openEndpoint(server.url);
  });

  afterEach(async () => {
    endpoint[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  const { signal } = new AbortController();

  it("sends document 000's input and takes its output", async () => {
    const metadata = { name: 'John Doe', age: 35, tags: ['ä', { deep: null }] };
    const answer = await endpoint.ask({ ...question, metadata }, signal);
    expect(optimalCallTimeSchema.parse(answer)).toEqual(answer);
    expect(server.requests).toEqual([
      {
        endpointName: 'call-times',
        body: '{"phoneNumber":"+972501234567","timezone":"Asia/Jerusalem","metadata":{"name":"John Doe","age":35,"tags":["ä",{"deep":null}]}}',
        phoneNumber: '+972501234567',
        contentType: 'application/json',
        accept: 'application/json',
      },
    ]);
  });

  it('sends nothing of a contact but what the document names', async () => {
    const contact = { ...question, id: 'contact_123', position: 7 };
    await endpoint.ask(contact, signal);
    expect(server.requests[0]?.body).toBe(JSON.stringify(question));
  });

  it.each<[EndpointFault, Partial<JobError>]>([
    [
      { kind: 'status', status: 500 },
      { kind: 'transient', code: 'ENDPOINT_FAILED' },
    ],
    [
      { kind: 'status', status: 429 },
      { kind: 'rate-limited', retryAfterMs: undefined },
    ],
    [
      { kind: 'status', status: 429, retryAfterSeconds: 7 },
      { kind: 'rate-limited', retryAfterMs: 7_000 },
    ],
    [{ kind: 'status', status: 400, errorType: 'ThrottlingException' }, { kind: 'rate-limited' }],
    [
      { kind: 'status', status: 503 },
      { kind: 'unavailable', code: 'ENDPOINT_UNAVAILABLE' },
    ],
    [
      { kind: 'status', status: 400 },
      { kind: 'permanent', code: 'ENDPOINT_CALL_REFUSED' },
    ],
    [
      { kind: 'status', status: 403, errorType: 'AccessDeniedException' },
      { kind: 'permanent', code: 'ENDPOINT_ACCESS_DENIED' },
    ],
    [{ kind: 'model-error' }, { kind: 'transient', code: 'ENDPOINT_FAILED' }],
    [{ kind: 'hang' }, { kind: 'transient', code: 'ENDPOINT_TIMEOUT' }],
    [{ kind: 'slow-drip' }, { kind: 'transient', code: 'ENDPOINT_TIMEOUT' }],
    [{ kind: 'reset' }, { kind: 'unavailable', code: 'ENDPOINT_UNAVAILABLE' }],
    [{ kind: 'truncated' }, { kind: 'transient', code: 'ENDPOINT_ANSWER_INVALID' }],
    [{ kind: 'cut-off' }, { kind: 'transient', code: 'ENDPOINT_ANSWER_INVALID' }],
    [{ kind: 'schema-breaking' }, { kind: 'transient', code: 'ENDPOINT_ANSWER_INVALID' }],
    [{ kind: 'empty' }, { kind: 'transient', code: 'ENDPOINT_ANSWER_INVALID' }],
    [{ kind: 'oversized' }, { kind: 'transient', code: 'ENDPOINT_ANSWER_INVALID' }],
  ])('says what %j means, after one call and in time', async (fault, expected) => {
    const isEndedByTime = expected.code === 'ENDPOINT_TIMEOUT';
    using asked = openEndpoint(server.url, { timeoutMs: isEndedByTime ? timeoutMs : busyMachineMs });
    server.failNext(fault);
    expect(await failureOf(asked.ask(question, signal))).toMatchObject(expected);
    expect(server.requests).toHaveLength(1);
    await expect(endpoint.ask(question, signal)).resolves.toBeDefined();
  });

  it('tolerates fields that it does not know, and drops them', async () => {
    server.failNext({ kind: 'extra-fields' });
    expect(Object.keys(await endpoint.ask(question, signal)).sort()).toEqual([
      'confidence',
      'preferredDayOfWeek',
      'preferredHourRange',
    ]);
  });

  it('says that an endpoint is unavailable where nothing listens', async () => {
    const { url } = server;
    await server[Symbol.asyncDispose]();
    server = await openSagemakerServer();
    using nowhere = openEndpoint(url);
    expect(await failureOf(nowhere.ask(question, signal))).toMatchObject({ kind: 'unavailable' });
  });

  it('ends the call when it is aborted', async () => {
    server.failNext({ kind: 'hang' });
    const controller = new AbortController();
    const asked = failureOf(endpoint.ask(question, controller.signal));
    await server.arrived(1);
    controller.abort();
    expect(await asked).toMatchObject({ kind: 'cancelled' });
    await server.abandoned(1);
    expect(await failureOf(endpoint.ask(question, controller.signal))).toMatchObject({ kind: 'cancelled' });
    expect(server.requests).toHaveLength(1);
  });

  it('makes as many calls at once as it is allowed to', async () => {
    // None is answered before all have come.
    server.failNext({ kind: 'hang' }, 8);
    const controller = new AbortController();
    const asked = Array.from({ length: 8 }, () =>
      failureOf(endpoint.ask({ ...question, phoneNumber: randomPhoneNumber() }, controller.signal)),
    );
    await server.arrived(8);
    expect(server.mostAtOnce()).toBe(8);
    controller.abort();
    await Promise.all(asked);
  });

  it('never shows what it was asked in an error', async () => {
    server.failNext({ kind: 'status', status: 400 });
    const error = await failureOf(endpoint.ask(question, signal));
    expect(error.message).not.toContain('972');
  });

  describe('without credentials', () => {
    const isolated = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_PROFILE: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    };
    const before = { ...process.env };

    beforeEach(() => Object.assign(process.env, isolated));

    afterEach(() => {
      for (const name of Object.keys(isolated)) {
        const value = before[name];
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    });

    it('calls a local server all the same', async () => {
      await expect(endpoint.ask(question, signal)).resolves.toBeDefined();
    });

    it('calls nobody else', async () => {
      using remote = openEndpoint('http://runtime.sagemaker.invalid');
      expect(await failureOf(remote.ask(question, signal))).toMatchObject({
        kind: 'permanent',
        code: 'ENDPOINT_ACCESS_DENIED',
      });
    });
  });
});
