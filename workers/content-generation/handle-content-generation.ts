import type { UserEvent } from '../../shared/activity/read-user-activity.ts';
import { contentGeneration, type GeneratedPage } from '../../shared/contracts/content-generation.ts';
import type { PayloadOf } from '../../shared/contracts/define-queue.ts';
import { classify } from '../../shared/errors/classify.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import { pageDocumentSchema } from '../../shared/pages/page-document.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { decideRetry } from '../../shared/queue/retry-policy.ts';
import { Released } from '../../shared/queue/run-job.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { modelUsed } from '../../shared/text-generation/model-used.ts';
import type { TextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import {
  decideWithoutAnswer,
  type WithoutAnswerPolicy,
} from '../../shared/text-generation/without-answer.ts';
import { baselineName, baselinePage } from './baseline-page.ts';
import { keepKnownLinks } from './keep-known-links.ts';
import { gatherFacts } from './page-facts.ts';
import { pagePrompt } from './page-prompt.ts';
import type { NewPage, PredictionRows } from './prediction-rows.ts';
import type { Prediction } from './prediction.ts';

const maxOutputTokens = 1_500;
const temperature = 0.5;

export interface ContentGenerationDependencies {
  rows: PredictionRows;
  /** What the user did lately, in the order of time. */
  readActivity: (userId: string, nowMs: number) => Promise<UserEvent[]>;
  textGeneration: TextGeneration;
  /** Whether Bedrock is among those that are asked: then it is the first. */
  bedrockIsConfigured: boolean;
  policy: WithoutAnswerPolicy;
  /** Drops the copy of a page from the cache. */
  dropCopy: (userId: string, pageKey: string) => Promise<void>;
  /** How long one call of a model may take. */
  callTimeoutMs: number;
  now: () => number;
  metrics: Pick<Metrics, 'degradedAnswers'>;
}

/**
 * Document 001, its second half: makes the page of a prediction ahead of its window, and stores it once. A prediction
 * that is done already is not made again, and one whose window has passed is not made at all.
 *
 * @throws JobError `permanent` with the code `PREDICTION_NOT_FOUND`; what `generate` throws
 * @throws MustWaitError while no model can be asked and there is patience left
 * @throws StoreUnavailableError when MySQL is away
 */
export async function handleContentGeneration(
  { generation_id: id }: PayloadOf<typeof contentGeneration>,
  context: JobContext,
  dependencies: ContentGenerationDependencies,
): Promise<GeneratedPage> {
  const { rows, metrics } = dependencies;
  const begun = await rows.begin(id);
  if (!begun) throw notFound();
  if ('done' in begun) return begun.done;
  const { prediction } = begun;
  try {
    const page = await makePage(prediction, context, dependencies);
    const generated = await rows.complete(prediction, page);
    if (!generated) throw notFound();
    if (generated.degraded) metrics.degradedAnswers.inc({ queue: contentGeneration.name });
    await dropCopy(prediction, context, dependencies);
    return generated;
  } catch (thrown) {
    if (isFinal(thrown, context)) await rows.fail(id);
    throw thrown;
  }
}

function notFound(): JobError {
  const message = 'There is no such prediction in generation_queue; its user may have been forgotten';
  return new JobError('permanent', message, { code: 'PREDICTION_NOT_FOUND' });
}

/** What a model writes for the prediction or, when none can be asked and that is allowed, the baseline. */
async function makePage(
  prediction: Prediction,
  context: JobContext,
  dependencies: ContentGenerationDependencies,
): Promise<NewPage> {
  const { textGeneration, bedrockIsConfigured, policy } = dependencies;
  const nowMs = dependencies.now();
  const activity = await dependencies.readActivity(prediction.userId, nowMs);
  const facts = gatherFacts(prediction, activity, nowMs);
  try {
    const generated = await textGeneration.generate(
      {
        step: 'page',
        ...pagePrompt(facts),
        answer: { name: 'page', schema: pageDocumentSchema },
        maxOutputTokens,
        temperature,
        timeoutMs: dependencies.callTimeoutMs,
      },
      context,
    );
    return {
      page: keepKnownLinks(generated.answer, facts.pages),
      modelUsed: modelUsed(generated, bedrockIsConfigured),
      degraded: false,
    };
  } catch (thrown) {
    const error = classify(thrown);
    const decision = decideWithoutAnswer(error, context, policy);
    if (decision !== 'degrade') throw decision;
    context.log.warn({ err: error }, 'no model answered: the baseline makes the page');
    return { page: baselinePage(facts), modelUsed: baselineName, degraded: true };
  }
}

/** A copy that cannot be dropped is old for a minute at most. */
async function dropCopy(
  { userId, pageKey }: Prediction,
  context: JobContext,
  dependencies: ContentGenerationDependencies,
): Promise<void> {
  try {
    await dependencies.dropCopy(userId, pageKey);
  } catch (error) {
    context.log.debug({ err: error }, 'the copy of the page before is left to expire');
  }
}

/** Whether the queue will not try the job again: cancelled, refused, or its attempts are spent. */
function isFinal(thrown: unknown, { signal, attempt }: JobContext): boolean {
  // An aborted run may throw anything; why it was aborted is what counts.
  const cause: unknown = signal.aborted ? signal.reason : thrown;
  if (cause instanceof Released) return false;
  return decideRetry(classify(cause), attempt, contentGeneration.attempts).action === 'stop';
}
