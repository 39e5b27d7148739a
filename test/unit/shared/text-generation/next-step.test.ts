import { z } from 'zod';
import { nextStep, type JournalledCall } from '../../../../shared/text-generation/next-step.ts';
import { parseAnswer } from '../../../../shared/text-generation/parse-answer.ts';

const schema = z.object({ score: z.number() });
const parse = (text: string) => parseAnswer(text, schema);
const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };

type Call = Pick<JournalledCall, 'state'> & Partial<JournalledCall>;
const bedrock = { provider: 'bedrock', model: 'haiku' } as const;
const openai = { provider: 'openai', model: 'gpt' } as const;
const good: Call = { state: 'answered', answer: '{"score":1}' };
const unfit: Call = { state: 'answered', answer: '{"score":"high"}' };
const failed: Call = { state: 'failed' };
const lost: Call = { state: 'lost' };
const calling = (leaseLeftMs: number): Call => ({ state: 'calling', leaseLeftMs });

function stepAfter(...calls: Call[]) {
  return nextStep(
    calls.map((call, index) => ({
      ...bedrock,
      ask: index + 1,
      leaseLeftMs: -1,
      answer: null,
      usage,
      costUsd: null,
      latencyMs: 1,
      ...call,
    })),
    parse,
  );
}
const askFrom = (ask: number) => ({ step: 'ask', ask, unfinished: undefined });

describe('nextStep', () => {
  it('begins with the first call', () => {
    expect(stepAfter()).toEqual(askFrom(1));
  });

  it('takes the answer that is there, whatever else was tried', () => {
    expect(stepAfter(good)).toMatchObject({ step: 'replay', call: { ask: 1 }, answer: { score: 1 } });
    expect(stepAfter(failed, unfit, good)).toMatchObject({ step: 'replay', call: { ask: 3 } });
    expect(stepAfter(good, calling(500))).toMatchObject({ step: 'replay', call: { ask: 1 } });
  });

  it('waits for a call whose lease has not ended, and gives one up whose lease has', () => {
    expect(stepAfter(failed, calling(500))).toEqual({ step: 'wait', leaseLeftMs: 500 });
    expect(stepAfter(failed, calling(0))).toMatchObject({ step: 'give-up', call: { ask: 2 } });
  });

  it('begins anew after calls that gave nothing', () => {
    expect(stepAfter(failed, lost)).toEqual(askFrom(3));
    expect(stepAfter(unfit, unfit, { ...openai, ...failed })).toEqual(askFrom(4));
  });

  it('goes on with asking again where a worker died after an answer that did not fit', () => {
    const unfinished = { ...bedrock, text: unfit.answer, issues: [expect.stringMatching(/^score: /)] };
    expect(stepAfter(unfit)).toEqual({ step: 'ask', ask: 2, unfinished });
    expect(stepAfter(failed, { ...openai, ...unfit })).toEqual({
      step: 'ask',
      ask: 3,
      unfinished: { ...unfinished, ...openai },
    });
    // Two runs: in the first it was asked twice, in the second once.
    expect(stepAfter(unfit, unfit, unfit)).toEqual({ step: 'ask', ask: 4, unfinished });
    expect(stepAfter({ ...openai, ...unfit }, unfit)).toEqual({ step: 'ask', ask: 3, unfinished });
  });

  it('begins anew when a model was asked again in vain', () => {
    expect(stepAfter(unfit, unfit)).toEqual(askFrom(3));
    expect(stepAfter(failed, unfit, unfit, unfit, unfit)).toEqual(askFrom(6));
  });

  it('begins anew when the answer was purged', () => {
    expect(stepAfter({ state: 'answered', answer: null })).toEqual(askFrom(2));
  });
});
