import {
  alertOf,
  alertTypes,
  isKnownAlert,
  type Alert,
  churnInsight,
  type Insight,
} from '../../shared/contracts/churn-insight.ts';
import type { PayloadOf } from '../../shared/contracts/define-queue.ts';
import type { InsightTable } from '../../shared/dynamodb/insight-table.ts';
import { classify } from '../../shared/errors/classify.ts';
import { JobError, MustWaitError } from '../../shared/errors/job-error.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { modelUsed } from '../../shared/text-generation/model-used.ts';
import type { TextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import {
  decideWithoutAnswer,
  type WithoutAnswerPolicy,
} from '../../shared/text-generation/without-answer.ts';
import { acceptedAt } from './accepted-at.ts';
import { baseline, baselineName } from './baseline.ts';
import { insightAnswerSchema, type InsightAnswer } from './insight-answer.ts';
import type { InsightNotification } from './insight-notification.ts';
import { insightPrompt, promptVersion } from './insight-prompt.ts';

// As in document 002.
const maxOutputTokens = 1_000;
const temperature = 0.7;

const secondsPerDay = 86_400;

/** How long a stored insight waits for its notification to be taken, from the first time that the job waited. */
const notificationPatienceMs = 10 * 60_000;
const notifyAgainAfterMs = 5_000;

export interface ChurnInsightDependencies {
  textGeneration: TextGeneration;
  /** Whether Bedrock is among those that are asked: then it is the first. */
  bedrockIsConfigured: boolean;
  policy: WithoutAnswerPolicy;
  table: Pick<InsightTable, 'keep' | 'find'>;
  /** Absent when nobody is to be told. */
  notification: Pick<InsightNotification, 'notify'> | undefined;
  /** How long an insight is kept, in days. */
  ttlDays: number;
  /** How long one call of a model may take. */
  callTimeoutMs: number;
  metrics: Pick<Metrics, 'degradedAnswers'>;
}

type Judgement = Pick<Insight, 'model_used' | 'degraded'> & InsightAnswer;

/**
 * Document 002: explains the risk that an alert is about, stores the insight once and tells who wants to know. A run
 * that finds the job's insight stored does not ask again; it may tell again.
 *
 * @throws JobError `permanent` with the code `UNKNOWN_ALERT_TYPE`; what `generate` and `notify` throw
 * @throws MustWaitError while no model can be asked and there is patience left
 * @throws StoreUnavailableError when MySQL or DynamoDB is away
 */
export async function handleChurnInsight(
  payload: PayloadOf<typeof churnInsight>,
  context: JobContext,
  dependencies: ChurnInsightDependencies,
): Promise<Insight> {
  const { table, notification } = dependencies;
  const alert = alertOf(payload);
  if (!isKnownAlert(alert)) {
    const message = `The alert is of a type that is not known here; known are ${alertTypes.join(', ')}`;
    throw new JobError('permanent', message, { code: 'UNKNOWN_ALERT_TYPE' });
  }
  const { epochMs, timestamp } = acceptedAt(context.jobId);
  const identity = { entity_id: alert.entity_id, timestamp, job_id: context.jobId };

  async function makeAndKeep(known: Alert): Promise<Insight> {
    const made: Insight = {
      ...identity,
      ...(await judge(known, context, dependencies)),
      alert_id: `${known.alert_type}_${known.entity_id}_${epochMs}`,
      prediction_type: known.alert_type,
      prompt_version: promptVersion,
    };
    const expiresAtSeconds = Math.floor(epochMs / 1_000) + dependencies.ttlDays * secondsPerDay;
    const kept = await table.keep(made, expiresAtSeconds, context.signal);
    if (kept.degraded) dependencies.metrics.degradedAnswers.inc({ queue: churnInsight.name });
    return kept;
  }

  const stored = context.mayHaveRunBefore ? await table.find(identity, context.signal) : undefined;
  const insight = stored ?? (await makeAndKeep(alert));
  await notify(insight, context, notification);
  return insight;
}

/** A topic that does not take notifications for a while costs no attempt: the insight is stored and waits. */
async function notify(
  insight: Insight,
  context: JobContext,
  notification: ChurnInsightDependencies['notification'],
): Promise<void> {
  try {
    await notification?.notify(insight, context.signal);
  } catch (thrown) {
    const error = classify(thrown);
    const passes = error.kind !== 'permanent' && error.kind !== 'cancelled';
    if (!passes || context.waitedMs >= notificationPatienceMs) throw error;
    const waitMs = Math.max(notifyAgainAfterMs, error.retryAfterMs ?? 0);
    throw new MustWaitError(error.message, { code: error.code, waitMs, cause: error });
  }
}

/** What a model says about the alert or, when none can be asked and that is allowed, the baseline. */
async function judge(
  alert: Alert,
  context: JobContext,
  dependencies: ChurnInsightDependencies,
): Promise<Judgement> {
  const { textGeneration, bedrockIsConfigured, policy } = dependencies;
  try {
    const generated = await textGeneration.generate(
      {
        step: 'insight',
        ...insightPrompt(alert),
        answer: { name: 'insight', schema: insightAnswerSchema },
        maxOutputTokens,
        temperature,
        timeoutMs: dependencies.callTimeoutMs,
      },
      context,
    );
    const { answer } = generated;
    return {
      ...answer,
      risk_score: storable(answer.risk_score),
      model_used: modelUsed(generated, bedrockIsConfigured),
      degraded: false,
    };
  } catch (thrown) {
    const error = classify(thrown);
    const decision = decideWithoutAnswer(error, context, policy);
    if (decision !== 'degrade') throw decision;
    context.log.warn({ err: error }, 'no model answered: the baseline does');
    return { ...baseline(alert), model_used: baselineName, degraded: true };
  }
}

/** DynamoDB's numbers go down to 1e-130, JSON's further. */
function storable(score: number): number {
  return Math.round(score * 1e6) / 1e6;
}
