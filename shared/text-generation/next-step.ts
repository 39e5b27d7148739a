import type { LlmCallState } from '../database/llm-calls-table.ts';
import type { ParsedAnswer } from './parse-answer.ts';
import type { Provider, TokenUsage } from './text-generator.ts';

/** What the journal knows of one call. */
export interface JournalledCall {
  ask: number;
  provider: Provider;
  model: string;
  state: LlmCallState;
  /** How long others wait for the answer, by the database's clock; not above 0 when the lease has ended. */
  leaseLeftMs: number;
  /** `null` unless answered, and once it has been purged. */
  answer: string | null;
  usage: TokenUsage;
  costUsd: number | null;
  latencyMs: number;
}

/** What comes next for a question, by the calls that were made for it. */
export type NextStep<Answer> =
  /** A call gave an answer that fits. */
  | { step: 'replay'; call: JournalledCall; answer: Answer }
  /** Another worker may be about to get one. */
  | { step: 'wait'; leaseLeftMs: number }
  /** The worker that made the call is gone. */
  | { step: 'give-up'; call: JournalledCall }
  /** The vendors are to be asked; `unfinished` first, where an answer did not fit and it was not asked again. */
  | { step: 'ask'; ask: number; unfinished: UnfinishedAnswer | undefined };

export interface UnfinishedAnswer {
  provider: Provider;
  model: string;
  text: string;
  issues: string[];
}

/**
 * Judges the calls of one question, oldest first. Answers are judged anew, by the schema of today, so that nothing
 * but the answers themselves decides.
 *
 * Each vendor is asked at most twice in a row: the second time with what was wrong. So an odd number of answers of
 * one model that do not fit, at the end, says that a worker died between the two: the first was paid, and the second
 * goes on from it.
 */
export function nextStep<Answer>(
  calls: readonly JournalledCall[],
  parse: (text: string) => ParsedAnswer<Answer>,
): NextStep<Answer> {
  const parsed = calls.map((call) => (call.answer === null ? undefined : parse(call.answer)));
  for (const [index, call] of calls.entries()) {
    const result = parsed[index];
    if (result?.fits) return { step: 'replay', call, answer: result.answer };
  }
  const open = calls.filter(({ state }) => state === 'calling');
  const ended = open.find(({ leaseLeftMs }) => leaseLeftMs <= 0);
  if (ended) return { step: 'give-up', call: ended };
  if (open.length > 0) {
    return { step: 'wait', leaseLeftMs: Math.min(...open.map(({ leaseLeftMs }) => leaseLeftMs)) };
  }

  const last = calls.at(-1);
  const result = parsed.at(-1);
  const ask = (last?.ask ?? 0) + 1;
  if (!last || last.answer === null || !result || result.fits)
    return { step: 'ask', ask, unfinished: undefined };
  const other = calls.findLastIndex(
    ({ provider, model, answer }) => answer === null || provider !== last.provider || model !== last.model,
  );
  const wasAskedAgain = (calls.length - 1 - other) % 2 === 0;
  if (wasAskedAgain) return { step: 'ask', ask, unfinished: undefined };
  const { provider, model, answer: text } = last;
  return { step: 'ask', ask, unfinished: { provider, model, text, issues: result.issues } };
}
