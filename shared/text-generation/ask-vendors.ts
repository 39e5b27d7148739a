import { JobError } from '../errors/job-error.ts';
import type { JobContext } from '../queue/job-context.ts';
import { askAgain } from './ask-again.ts';
import type { Vendor, VendorReply } from './create-vendor.ts';
import type { UnfinishedAnswer } from './next-step.ts';
import type { ParsedAnswer } from './parse-answer.ts';
import type { GenerationCall, TokenUsage } from './text-generator.ts';

export interface Question<Answer> {
  jobId: string;
  step: string;
  call: GenerationCall;
  parse: (text: string) => ParsedAnswer<Answer>;
  context: Pick<JobContext, 'signal' | 'trace' | 'log'>;
}

/** Where the journal says to begin. */
export interface Beginning {
  /** The number of the next call. */
  ask: number;
  unfinished: UnfinishedAnswer | undefined;
}

export interface VendorAnswer<Answer> {
  vendor: Vendor;
  answer: Answer;
  usage: TokenUsage;
  costUsd: number | null;
  latencyMs: number;
}

/**
 * Asks one vendor after the other until an answer fits; each is asked once more, with what was wrong, when its answer
 * does not. A vendor that was about to be asked once more when its worker died comes first, then those after it,
 * then those before it. Answers `undefined` when another worker turns out to be asking the same question.
 *
 * @throws JobError as `TextGeneration.generate` says
 */
export async function askVendors<Answer>(
  vendors: readonly Vendor[],
  question: Question<Answer>,
  { ask: firstAsk, unfinished }: Beginning,
): Promise<VendorAnswer<Answer> | undefined> {
  const { jobId, step, call, parse, context } = question;
  const first = vendors.findIndex((vendor) => isVendorOf(vendor, unfinished));
  const inOrder = first === -1 ? vendors : [...vendors.slice(first), ...vendors.slice(0, first)];
  const waitsMs: number[] = [];
  let failure: JobError | undefined;
  let ask = firstAsk;

  for (const [position, vendor] of inOrder.entries()) {
    let unfit: { text: string; issues: string[] } | undefined =
      position === 0 && first !== -1 ? unfinished : undefined;
    let mayAsk = unfit ? 1 : 2;
    while (mayAsk > 0) {
      mayAsk -= 1;
      const reply = await vendor.ask({
        key: { jobId, step, ask },
        call: unfit ? askAgain(call, unfit) : call,
        parse,
        context,
      });
      if (reply.kind === 'taken') return undefined;
      if (reply.wasAsked) ask += 1;
      if (reply.kind === 'answered' && reply.parsed.fits) {
        const { usage, costUsd, latencyMs, parsed } = reply;
        return { vendor, answer: parsed.answer, usage, costUsd, latencyMs };
      }
      const { provider, model } = vendor;
      context.log.info(
        { provider, model, ask, ...describe(reply) },
        'a vendor gave no answer that can be used',
      );
      if (reply.kind === 'answered' && !reply.parsed.fits) {
        unfit = { text: reply.text, issues: reply.parsed.issues };
        failure = answerInvalid();
        continue;
      }
      if (reply.kind === 'not-now') waitsMs.push(reply.waitMs);
      if (reply.kind === 'failed') failure = reply.error;
      break;
    }
  }
  throw withoutAnswer(vendors.length, failure, waitsMs);
}

function isVendorOf({ provider, model }: Vendor, unfinished: UnfinishedAnswer | undefined): boolean {
  return provider === unfinished?.provider && model === unfinished.model;
}

/** Never what was asked or answered. */
function describe(reply: VendorReply<unknown>): Record<string, unknown> {
  if (reply.kind === 'not-now') return { reason: 'not now', wait_ms: Math.ceil(reply.waitMs) };
  return { reason: reply.kind === 'failed' ? reply.error.code : 'LLM_ANSWER_INVALID' };
}

function answerInvalid(): JobError {
  return new JobError('transient', 'The answer does not fit', { code: 'LLM_ANSWER_INVALID' });
}

function withoutAnswer(vendors: number, failure: JobError | undefined, waitsMs: readonly number[]): JobError {
  if (vendors === 0) {
    return new JobError('permanent', 'No vendor of language models is configured', {
      code: 'LLM_NOT_CONFIGURED',
    });
  }
  if (failure) {
    const message = 'No vendor gave an answer that can be used';
    return new JobError('transient', message, { code: 'LLM_FAILED', cause: failure });
  }
  return new JobError('unavailable', 'No vendor can answer at the moment', {
    code: 'NO_VENDOR_NOW',
    retryAfterMs: Math.ceil(Math.min(...waitsMs)),
  });
}
