import { createCircuit } from '../circuit/create-circuit.ts';
import { JobError } from '../errors/job-error.ts';
import type { JobContext } from '../queue/job-context.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Metrics } from '../telemetry/create-metrics.ts';
import { requestAttributes, usageAttributes } from './call-attributes.ts';
import { requestHash, type CallJournal, type CallKey } from './call-journal.ts';
import type { FleetLimits } from './fleet-limits.ts';
import type { ParsedAnswer } from './parse-answer.ts';
import { priceOfCall } from './price-of-call.ts';
import { priceAt, type Price } from './prices.ts';
import type {
  GenerationAnswer,
  GenerationCall,
  Provider,
  TextGenerator,
  TokenUsage,
} from './text-generator.ts';

/** One call, with what it belongs to. */
export interface VendorQuestion<Answer> {
  key: CallKey;
  call: GenerationCall;
  parse: (text: string) => ParsedAnswer<Answer>;
  context: Pick<JobContext, 'signal' | 'trace'>;
}

/** `wasAsked`: whether the question's number is used up. */
export type VendorReply<Answer> =
  | {
      kind: 'answered';
      wasAsked: true;
      text: string;
      parsed: ParsedAnswer<Answer>;
      usage: TokenUsage;
      costUsd: number | null;
      latencyMs: number;
    }
  /** It was asked, and failed. */
  | { kind: 'failed'; wasAsked: true; error: JobError }
  /** It cannot answer at the moment. */
  | { kind: 'not-now'; wasAsked: boolean; waitMs: number }
  /** Another worker is asking the same question. */
  | { kind: 'taken'; wasAsked: false };

/** One model of one vendor, with what keeps calls away from it. */
export interface Vendor extends AsyncDisposable {
  provider: Provider;
  model: string;
  /**
   * Makes one call, journalled, unless it is known that it cannot be answered now.
   *
   * @throws JobError `permanent` when the vendor calls the request malformed; `cancelled`
   * @throws StoreUnavailableError
   */
  ask<Answer>(question: VendorQuestion<Answer>): Promise<VendorReply<Answer>>;
}

export interface VendorOptions {
  generator: TextGenerator;
  queue: string;
  journal: CallJournal;
  limits: FleetLimits;
  prices: readonly Price[];
  metrics: Pick<Metrics, 'circuitState' | 'llmRequests' | 'llmTokens' | 'llmCostUsd'>;
  log: Logger;
}

/** How long a lease is beyond what a call may take: for the way there, and for writing the answer down. */
const leaseMarginMs = 10_000;
/** How long a vendor is left alone that says "too many" and not for how long. */
const defaultCoolDownMs = 5_000;
const longestCoolDownMs = 15 * 60_000;
/** When it is worth asking again a vendor that does not let us in: somebody has to mend that first. */
const accessAgainAfterMs = 10_000;

/** What a vendor's failures are in the metric. */
const theirFailures: Readonly<Record<string, string>> = {
  LLM_RATE_LIMITED: 'rate-limited',
  LLM_TIMEOUT: 'timeout',
  LLM_ACCESS_DENIED: 'access-denied',
  LLM_UNAVAILABLE: 'error',
  LLM_FAILED: 'error',
  LLM_ANSWER_BROKEN: 'error',
};
const otherFailures: Readonly<Record<string, string>> = {
  LLM_REQUEST_REFUSED: 'refused',
  ABORTED: 'cancelled',
  CIRCUIT_OPEN: 'rejected',
};

export function createVendor({
  generator,
  queue,
  journal,
  limits,
  prices,
  metrics,
  log,
}: VendorOptions): Vendor {
  const { provider, model } = generator;
  const labels = { provider, model };
  let coolUntilMs = 0;
  let hasWarnedOfPrice = false;
  const circuit = createCircuit({
    name: `${provider}/${model}`,
    metrics,
    log,
    // A request that was refused is our fault, and the journal is ours.
    isTheirs: (error) => error.code in theirFailures,
  });

  async function callOnce<Answer>(question: VendorQuestion<Answer>): Promise<VendorReply<Answer>> {
    const { key, call, parse, context } = question;
    const leaseMs = call.timeoutMs + leaseMarginMs;
    const leaseEndsAtMs = performance.now() + leaseMs;
    const hash = requestHash(provider, model, call);
    if (!(await journal.begin({ ...key, queue, provider, model, leaseMs, requestHash: hash }))) {
      return { kind: 'taken', wasAsked: false };
    }
    const beganAtMs = performance.now();
    const calledAtMs = Date.now();
    let answer: GenerationAnswer;
    try {
      answer = await context.trace(`chat ${model}`, async (span) => {
        span.set(requestAttributes(provider, model, call));
        const given = await circuit.execute(() => generator.generate(call, context.signal), context.signal);
        span.set(usageAttributes(given.usage));
        return given;
      });
    } catch (thrown) {
      const error = vendorError(thrown);
      await recordFailure(key, error, leaseEndsAtMs);
      throw error;
    }
    const { text, usage } = answer;
    const latencyMs = Math.round(performance.now() - beganAtMs);
    const parsed = parse(text);
    const cost = costOf(usage, calledAtMs);
    const errorCode = parsed.fits ? null : 'LLM_ANSWER_INVALID';
    await journal.finish(
      key,
      { state: 'answered', answer: text, errorCode, usage, costUsd: cost?.decimalUsd ?? null, latencyMs },
      Infinity,
    );
    metrics.llmRequests.inc({ ...labels, outcome: parsed.fits ? 'ok' : 'invalid' });
    countTokens(usage);
    if (cost) metrics.llmCostUsd.inc(labels, cost.usd);
    return { kind: 'answered', wasAsked: true, text, parsed, usage, costUsd: cost?.usd ?? null, latencyMs };
  }

  async function recordFailure(key: CallKey, error: JobError, leaseEndsAtMs: number): Promise<void> {
    const state = mayBeBilled(error) ? 'lost' : 'failed';
    const outcome = { state, errorCode: error.code } as const;
    try {
      const withinMs = error.kind === 'cancelled' ? 0 : leaseEndsAtMs - performance.now();
      await journal.finish(key, outcome, withinMs);
    } catch (journalError) {
      // The job ends here anyway; the lease ends by itself.
      if (error.kind !== 'cancelled') throw journalError;
      log.warn({ err: journalError }, 'an aborted call could not be written down');
    }
    metrics.llmRequests.inc({ ...labels, outcome: outcomeOf(error) });
  }

  function costOf(usage: TokenUsage, calledAtMs: number) {
    const price = priceAt(prices, labels, calledAtMs);
    if (price) return priceOfCall(usage, price);
    if (!hasWarnedOfPrice)
      log.warn(labels, 'the price table does not know this model: its calls have no cost');
    hasWarnedOfPrice = true;
    return undefined;
  }

  function countTokens(usage: TokenUsage): void {
    metrics.llmTokens.inc({ ...labels, kind: 'input' }, usage.inputTokens);
    metrics.llmTokens.inc({ ...labels, kind: 'output' }, usage.outputTokens);
    metrics.llmTokens.inc({ ...labels, kind: 'cache_read' }, usage.cacheReadTokens);
    metrics.llmTokens.inc({ ...labels, kind: 'cache_write' }, usage.cacheWriteTokens);
  }

  function replyOf(error: JobError): VendorReply<never> {
    switch (error.code) {
      case 'CIRCUIT_OPEN':
        return { kind: 'not-now', wasAsked: true, waitMs: error.retryAfterMs ?? 0 };
      case 'LLM_RATE_LIMITED': {
        const waitMs = Math.min(error.retryAfterMs ?? defaultCoolDownMs, longestCoolDownMs);
        coolUntilMs = Math.max(coolUntilMs, performance.now() + waitMs);
        return { kind: 'not-now', wasAsked: true, waitMs };
      }
      case 'LLM_ACCESS_DENIED':
        return { kind: 'not-now', wasAsked: true, waitMs: accessAgainAfterMs };
      default:
        if (!(error.code in theirFailures)) throw error;
        return { kind: 'failed', wasAsked: true, error };
    }
  }

  return {
    provider,
    model,
    async ask(question) {
      const leftAloneForMs = Math.max(circuit.opensInMs(), coolUntilMs - performance.now());
      if (leftAloneForMs > 0) return { kind: 'not-now', wasAsked: false, waitMs: leftAloneForMs };
      const admission = await limits.admit(estimateTokens(question.call));
      if (!admission.admitted) return { kind: 'not-now', wasAsked: false, waitMs: admission.waitMs };
      const { reservation } = admission;
      try {
        const reply = await callOnce(question);
        reservation.settle(reply.kind === 'answered' ? tokensOf(reply.usage) : 'not-called');
        return reply;
      } catch (thrown) {
        // A fault of our own, or of the journal's.
        if (!(thrown instanceof JobError)) throw thrown;
        const { code } = thrown;
        // Its circuit opened, or another call began to probe it, while this one was being written down.
        if (code === 'CIRCUIT_OPEN') reservation.settle('not-called');
        // A call that was cut short may have used what was reserved for it; another failure used nothing.
        else if (!mayBeBilled(thrown)) reservation.settle(0);
        return replyOf(thrown);
      }
    },
    [Symbol.asyncDispose]: () => limits[Symbol.asyncDispose](),
  };
}

/** What the vendor's adapter throws; what it did not foresee counts as a failure of the vendor's. */
function vendorError(thrown: unknown): JobError {
  if (thrown instanceof JobError) return thrown;
  return new JobError('transient', 'The vendor failed', { code: 'LLM_FAILED', cause: thrown });
}

/** Who hangs up, or gets half an answer, does not know whether the vendor bills it. */
function mayBeBilled({ code, kind }: JobError): boolean {
  return code === 'LLM_TIMEOUT' || code === 'LLM_ANSWER_BROKEN' || kind === 'cancelled';
}

function outcomeOf({ code }: JobError): string {
  return theirFailures[code] ?? otherFailures[code] ?? 'error';
}

/** About four characters make a token; the answer may be as long as it may. */
function estimateTokens({ system, messages, answer, maxOutputTokens }: GenerationCall): number {
  const characters =
    system.length +
    messages.reduce((sum, { text }) => sum + text.length, 0) +
    JSON.stringify(answer.jsonSchema).length;
  return Math.ceil(characters / 4) + maxOutputTokens;
}

function tokensOf(usage: TokenUsage): number {
  return usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}
