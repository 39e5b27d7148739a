import type { OptimalCallTime } from '../../../../shared/contracts/call-time-prediction.ts';
import { JobError } from '../../../../shared/errors/job-error.ts';
import { createLogger } from '../../../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../../../shared/telemetry/create-metrics.ts';
import {
  createCallTimeModel,
  type CallTimeModel,
} from '../../../../workers/call-time-prediction/call-time-model.ts';
import { defaultPattern } from '../../../../workers/call-time-prediction/default-pattern.ts';
import type { EndpointQuestion } from '../../../../shared/sagemaker/sagemaker-endpoint.ts';

interface Call {
  question: EndpointQuestion;
  signal: AbortSignal;
  resolve: (answer: OptimalCallTime) => void;
  reject: (error: unknown) => void;
}

const answer: OptimalCallTime = { ...defaultPattern, confidence: 0.9 };
const failure = new JobError('transient', 'The endpoint failed', { code: 'ENDPOINT_FAILED' });
const { signal } = new AbortController();

function question(phoneNumber: string): EndpointQuestion {
  return { phoneNumber, timezone: 'UTC', metadata: {} };
}

/** Lets everything run that does not wait for the endpoint. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('createCallTimeModel', () => {
  let calls: Call[];
  let metrics: Metrics;
  let model: CallTimeModel;

  beforeEach(() => {
    calls = [];
    metrics = createMetrics();
    model = createCallTimeModel({
      parallelism: 2,
      metrics,
      log: createLogger({ process: 'test', level: 'silent' }),
      // The port itself: what matters here is when calls begin and end, to the tick.
      endpoint: {
        ask(asked, callSignal) {
          const { promise, resolve, reject } = Promise.withResolvers<OptimalCallTime>();
          calls.push({ question: asked, signal: callSignal, resolve, reject });
          callSignal.addEventListener('abort', () =>
            reject(new JobError('cancelled', 'The endpoint call was aborted', { code: 'ABORTED' })),
          );
          return promise;
        },
        [Symbol.dispose]() {},
      },
    });
  });

  afterEach(() => {
    jest.restoreAllMocks();
    metrics[Symbol.dispose]();
  });

  async function state(): Promise<number | undefined> {
    return (await metrics.circuitState.get()).values[0]?.value;
  }

  async function fail(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      using pending = model.ask(question(`+1${time}`), signal);
      await settle();
      calls.at(-1)?.reject(failure);
      await expect(pending.answer).resolves.toBeUndefined();
    }
  }

  it('makes one call for those who ask while it is held, also after it was answered', async () => {
    const first = model.ask(question('+1'), signal);
    const second = model.ask(question('+1'), signal);
    await settle();
    calls[0]?.resolve(answer);
    await expect(first.answer).resolves.toEqual(answer);
    await expect(second.answer).resolves.toEqual(answer);
    first[Symbol.dispose]();
    // The answer is not in the cache yet: its holder is still at it.
    const third = model.ask(question('+1'), signal);
    await expect(third.answer).resolves.toEqual(answer);
    second[Symbol.dispose]();
    third[Symbol.dispose]();
    expect(calls).toHaveLength(1);

    using fourth = model.ask(question('+1'), signal);
    await settle();
    expect(calls).toHaveLength(2);
    calls[1]?.resolve(answer);
    await fourth.answer;
  });

  it('ends a call when the last who waits for it has gone, whoever began it', async () => {
    const [leaver, stayer] = [new AbortController(), new AbortController()];
    const first = model.ask(question('+1'), leaver.signal);
    const second = model.ask(question('+1'), stayer.signal);
    await settle();
    leaver.abort(new Error('gone'));
    await expect(first.answer).rejects.toThrow('gone');
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(calls[0]?.signal.aborted).toBe(false);
    stayer.abort(new Error('gone as well'));
    await expect(second.answer).rejects.toThrow('gone as well');
    second[Symbol.dispose]();
    expect(calls[0]?.signal.aborted).toBe(true);
    await settle();
    expect((await metrics.endpointRequests.get()).values).toMatchObject([
      { labels: { outcome: 'cancelled' }, value: 1 },
    ]);
  });

  it('never makes a call that nobody waits for any more when its turn comes', async () => {
    const held = [model.ask(question('+1'), signal), model.ask(question('+2'), signal)];
    const gone = new AbortController();
    const waiting = model.ask(question('+3'), gone.signal);
    gone.abort();
    await expect(waiting.answer).rejects.toThrow();
    waiting[Symbol.dispose]();
    using last = model.ask(question('+4'), signal);
    await settle();
    expect(calls).toHaveLength(2);
    for (const { resolve } of calls) resolve(answer);
    await Promise.all(held.map((pending) => pending.answer));
    await settle();
    expect(calls.map((call) => call.question.phoneNumber)).toEqual(['+1', '+2', '+4']);
    calls[2]?.resolve(answer);
    await expect(last.answer).resolves.toEqual(answer);
    for (const pending of held) pending[Symbol.dispose]();
  });

  it('stays open when the call that was to try the endpoint is cancelled', async () => {
    let aheadMs = 0;
    const realNow = Date.now;
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
    await fail(5);
    expect(await state()).toBe(2);

    aheadMs = 10_000;
    const leaver = new AbortController();
    const probing = model.ask(question('+9'), leaver.signal);
    await settle();
    expect(calls).toHaveLength(6);
    expect(await state()).toBe(1);
    leaver.abort();
    await expect(probing.answer).rejects.toThrow();
    probing[Symbol.dispose]();
    await settle();
    expect(await state()).toBe(2);

    aheadMs = 20_000;
    using probe = model.ask(question('+9'), signal);
    using waiting = model.ask(question('+8'), signal);
    await settle();
    // The second one waits for what the first one finds out.
    expect(calls).toHaveLength(7);
    calls[6]?.resolve(answer);
    await expect(probe.answer).resolves.toEqual(answer);
    await settle();
    expect(calls).toHaveLength(8);
    calls[7]?.resolve(answer);
    await expect(waiting.answer).resolves.toEqual(answer);
    expect(await state()).toBe(0);
  });
});
