import { patternDetection, type UserPatterns } from '../../shared/contracts/pattern-detection.ts';
import { readActivityLog } from '../../shared/patterns/activity-log.ts';
import { isActive } from '../../shared/patterns/is-active.ts';
import { defaultPopulation } from '../../shared/patterns/population.ts';
import { proposePatterns } from '../../shared/patterns/propose-patterns.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import { recordLook } from './activity-looks.ts';
import { askModel } from './ask-model.ts';
import { judgeProposals, type JudgedProposal } from './judge-proposals.ts';
import type { PatternDetectionDependencies } from './pattern-detection-dependencies.ts';
import { readPopulation } from './population-store.ts';
import { predictionWindow } from './prediction-window.ts';
import { countQueued, queuePrediction, type Prediction } from './queue-prediction.ts';
import { readDays, type UserDays } from './read-days.ts';
import { readProposals, type NoProposal, type Proposal } from './read-proposals.ts';

/** Names the statistical detector and the check. Change it together with them. */
const baselineName = 'baseline-1';

/**
 * A model is asked where the best candidate is at least this part as likely as a pattern must be. On real logs, below
 * that no choice of weekdays and hours at all stood the check.
 */
const worthAsking = 0.5;

/**
 * Document 001 for one user: finds what the user tends to do, keeps what the user's own days confirm, and queues what
 * is likely enough. A run after the first one finds the model's answer journalled and the predictions queued.
 *
 * @throws what `askModel` throws
 */
export async function lookAtUser(
  userId: string,
  context: JobContext,
  dependencies: PatternDetectionDependencies,
): Promise<UserPatterns> {
  const { db, settings, metrics } = dependencies;
  const { jobId } = context;
  const nowMs = dependencies.now();
  await recordLook(db, userId, { jobId, now: new Date(nowMs) });
  const days = await readDays(dependencies, userId, { nowMs, windowDays: settings.windowDays });
  const found = await findPatterns(days, context, dependencies);
  const detected = found.judged.filter(({ outcome }) => outcome === 'detected');

  const predictions = detected
    .filter(({ confidence }) => confidence >= settings.queueConfidence)
    .map((proposal) => toPrediction(proposal, { userId, jobId, nowMs, days, model: found.model }))
    .sort((one, other) => one.window.startMs - other.window.startMs);
  for (const prediction of predictions) {
    context.signal.throwIfAborted();
    if (await queuePrediction(dependencies, prediction, nowMs)) metrics.predictionsQueued.inc();
  }

  count(found, metrics);
  return {
    patterns_detected: detected.length,
    // Of all runs of this job.
    predictions_queued:
      predictions.length > 0 || context.mayHaveRunBefore ? await countQueued(db, { userId, jobId }) : 0,
    model_used: found.model ?? (found.degraded ? baselineName : null),
    degraded: found.degraded,
  };
}

interface FoundPatterns {
  judged: JudgedProposal[];
  without: NoProposal[];
  /** Who was asked; undefined when nobody was, or nobody answered. */
  model: string | undefined;
  degraded: boolean;
}

async function findPatterns(
  { events, window }: UserDays,
  context: JobContext,
  dependencies: PatternDetectionDependencies,
): Promise<FoundPatterns> {
  const { minConfidence } = dependencies.settings;
  const log = readActivityLog(events, window);
  const candidates = isActive(log) ? proposePatterns(log) : [];
  const nothing = { judged: [], without: [], model: undefined, degraded: false };
  // Nothing that a model could say would stand the check.
  if (candidates.length === 0) return nothing;

  const population = (await readPopulation(dependencies.db))?.population ?? defaultPopulation;
  const judge = (proposals: readonly Proposal[]) =>
    judgeProposals(proposals, log, { population, minConfidence });
  const statistical = candidates.map((pattern): Proposal => ({
    pattern,
    proposedBy: 'statistics',
    claimedConfidence: null,
    reason: null,
  }));
  const judged = judge(statistical);
  if ((judged[0]?.confidence ?? 0) < minConfidence * worthAsking) return { ...nothing, judged };

  const answer = await askModel(log, candidates, context, dependencies);
  if (!answer) return { ...nothing, judged, degraded: true };
  const { proposals, without } = readProposals(answer.items, log);
  return { judged: judge([...proposals, ...statistical]), without, model: answer.model, degraded: false };
}

function toPrediction(
  { pattern, proposedBy, ...said }: JudgedProposal,
  about: Pick<Prediction, 'userId' | 'jobId'> & { nowMs: number; days: UserDays; model: string | undefined },
): Prediction {
  const { nowMs, days, model, ...ids } = about;
  return {
    ...ids,
    pageKey: pattern.activity,
    window: predictionWindow(pattern, { nowMs, ...days }),
    pattern,
    confidence: said.confidence,
    claimedConfidence: said.claimedConfidence,
    reason: said.reason,
    proposedBy: proposedBy === 'model' && model !== undefined ? model : baselineName,
    hits: said.hits,
    occasions: said.occasions,
    timezone: days.timezone,
  };
}

function count(
  { judged, without, degraded }: FoundPatterns,
  metrics: PatternDetectionDependencies['metrics'],
): void {
  for (const { proposedBy, outcome } of judged) {
    metrics.patternProposals.inc({ proposed_by: proposedBy, outcome });
    if (outcome === 'detected') metrics.patternsDetected.inc();
  }
  for (const outcome of without) metrics.patternProposals.inc({ proposed_by: 'model', outcome });
  if (degraded) metrics.degradedAnswers.inc({ queue: patternDetection.name });
}
