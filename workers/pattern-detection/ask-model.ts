import { classify } from '../../shared/errors/classify.ts';
import type { ActivityLog } from '../../shared/patterns/activity-log.ts';
import type { Pattern } from '../../shared/patterns/pattern.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import type { TextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import {
  decideWithoutAnswer,
  type WithoutAnswerPolicy,
} from '../../shared/text-generation/without-answer.ts';
import { patternPrompt } from './pattern-prompt.ts';
import { proposalAnswerSchema } from './proposal-answer.ts';

/** What a model answered: items of whatever form. */
export interface ModelAnswer {
  items: readonly unknown[];
  /** `together-<model>`. */
  model: string;
}

const maxOutputTokens = 1_000;
// Habits are to be found, not invented.
const temperature = 0.2;
const timeoutMs = 30_000;

/**
 * Asks the model which habits it sees in a user's days. Answers undefined when no model can be asked and statistics may
 * stand alone.
 *
 * @throws what `generate` throws; MustWaitError while no model can be asked and there is patience left
 */
export async function askModel(
  log: ActivityLog,
  candidates: readonly Pattern[],
  context: JobContext,
  { textGeneration, policy }: { textGeneration: TextGeneration; policy: WithoutAnswerPolicy },
): Promise<ModelAnswer | undefined> {
  try {
    const { answer, provider, model } = await textGeneration.generate(
      {
        step: 'propose',
        ...patternPrompt(log, candidates),
        answer: { name: 'patterns', schema: proposalAnswerSchema },
        maxOutputTokens,
        temperature,
        timeoutMs,
      },
      context,
    );
    return { items: answer.patterns, model: `${provider}-${model}` };
  } catch (thrown) {
    const error = classify(thrown);
    const decision = decideWithoutAnswer(error, context, policy);
    if (decision !== 'degrade') throw decision;
    // Where none is configured, that was said when the worker started.
    if (textGeneration.isConfigured) context.log.warn({ err: error }, 'no model answered: statistics do');
    return undefined;
  }
}
