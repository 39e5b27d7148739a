import type { Kysely } from 'kysely';
import type { PatternSettings } from '../../shared/config/pattern-settings.ts';
import type { Tables } from '../../shared/database/tables.ts';
import type { Enqueue } from '../../shared/queue/enqueue.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import type { TextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import type { WithoutAnswerPolicy } from '../../shared/text-generation/without-answer.ts';
import type { IsTimezone } from '../../shared/timezone/timezone-names.ts';

/** Milliseconds from the start of a tick. */
export interface TickTimes {
  scoreUntilMs: number;
  learnUntilMs: number;
  /** Users who come later are looked at by the next tick. */
  walkUntilMs: number;
  /** The tick answers even if looks are open. */
  endAfterMs: number;
}

/** What the steps of pattern detection work with. */
export interface PatternDetectionDependencies {
  db: Kysely<Tables>;
  enqueue: Pick<Enqueue, 'enqueueWithin' | 'dispatch' | 'enqueueAllWithin' | 'dispatchAll'>;
  textGeneration: TextGeneration;
  policy: WithoutAnswerPolicy;
  settings: Pick<PatternSettings, 'minConfidence' | 'queueConfidence' | 'windowDays' | 'activeUserDays'>;
  tickTimes: TickTimes;
  isTimezone: IsTimezone;
  /** The moment that users' habits are seen from, in milliseconds since the epoch. */
  now: () => number;
  metrics: Pick<
    Metrics,
    | 'patternProposals'
    | 'patternsDetected'
    | 'predictionsQueued'
    | 'predictionsScored'
    | 'degradedAnswers'
    | 'sweeps'
  >;
}
