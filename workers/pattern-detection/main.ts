import { patternSettings } from '../../shared/config/pattern-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { textGenerationSettings } from '../../shared/config/text-generation-settings.ts';
import { patternDetection } from '../../shared/contracts/pattern-detection.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { openWorkerGeneration } from '../../shared/text-generation/open-worker-generation.ts';
import { openTogether } from '../../shared/text-generation/together.ts';
import { createTimezoneNames } from '../../shared/timezone/timezone-names.ts';
import { finishPatternDetection, startPatternDetection } from './handle-pattern-detection.ts';
import type { PatternDetectionDependencies, TickTimes } from './pattern-detection-dependencies.ts';

/** A tick ends within the documented 300 s; nearly all of it is for the users' looks. */
const tickTimes: TickTimes = {
  scoreUntilMs: 30_000,
  learnUntilMs: 90_000,
  walkUntilMs: 240_000,
  endAfterMs: 300_000,
};

export const prepareWorker: PrepareWorker = (environment) => {
  const settings = readSettings({ text: textGenerationSettings, patterns: patternSettings }, environment);
  const { patterns, text } = settings;

  return async (resources, clients) => {
    const { database, log, metrics, enqueue, consume } = clients;
    const generators = patterns.together ? [resources.use(openTogether(patterns.together))] : [];
    if (generators.length === 0) log.warn('Together AI is not configured: statistics propose the patterns');
    const dependencies: PatternDetectionDependencies = {
      db: database.db,
      enqueue,
      textGeneration: await openWorkerGeneration(
        { queue: patternDetection.name, generators, limits: text.limits },
        resources,
        clients,
      ),
      policy: { patienceMs: patterns.patienceMs, degradedAnswers: text.degradedAnswers },
      settings: patterns,
      tickTimes,
      isTimezone: createTimezoneNames(),
      now: Date.now,
      metrics,
    };
    consume(patternDetection, {
      start: (payload, context) => startPatternDetection(payload, context, dependencies),
      finish: (_payload, context, looks, interim) =>
        finishPatternDetection(looks, interim, context, dependencies),
    });
    return () => Promise.resolve({ together: generators.length > 0 ? 'ok' : 'degraded' });
  };
};
