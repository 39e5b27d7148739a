import { v4 as uuid } from 'uuid';
import { patternSettings } from '../../shared/config/pattern-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { textGenerationSettings } from '../../shared/config/text-generation-settings.ts';
import { patternDetection } from '../../shared/contracts/pattern-detection.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { openTextGeneration } from '../../shared/text-generation/open-text-generation.ts';
import { openTogether } from '../../shared/text-generation/together.ts';
import { createTimezoneNames } from '../../shared/timezone/timezone-names.ts';
import { finishPatternDetection, startPatternDetection } from './handle-pattern-detection.ts';
import type { PatternDetectionDependencies, TickTimes } from './pattern-detection-dependencies.ts';

/** What the fleet has asked for is counted in Redis, so the first job waits a moment for it. */
const redisWaitMs = 1_000;

/** A tick ends within the documented 300 s; nearly all of it is for the users' looks. */
const tickTimes: TickTimes = {
  scoreUntilMs: 30_000,
  learnUntilMs: 90_000,
  walkUntilMs: 240_000,
  endAfterMs: 300_000,
};

export const prepareWorker: PrepareWorker = (environment) => {
  const settings = readSettings({ text: textGenerationSettings, patterns: patternSettings }, environment);
  const { patterns } = settings;

  return async (resources, { redis, database, log, metrics, enqueue, consume }) => {
    const generators = patterns.together ? [resources.use(openTogether(patterns.together))] : [];
    const models = generators.map(({ provider, model }) => `${provider}/${model}`);
    if (models.length > 0) log.info({ models }, 'the models that are asked, in this order');
    else log.warn('Together AI is not configured: statistics propose the patterns');

    const limits = resources.use(connectRedis(redis, 'producer', log));
    await limits.untilReady(redisWaitMs);
    const dependencies: PatternDetectionDependencies = {
      db: database.db,
      enqueue,
      textGeneration: resources.use(
        openTextGeneration({
          queue: patternDetection.name,
          generators,
          limits: settings.text.limits,
          db: database.db,
          redis: limits.client,
          metrics,
          log,
          processId: uuid(),
        }),
      ),
      policy: { patienceMs: patterns.patienceMs, degradedAnswers: settings.text.degradedAnswers },
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
    return undefined;
  };
};
