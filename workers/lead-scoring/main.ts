import pLimit from 'p-limit';
import { v4 as uuid } from 'uuid';
import { openAiEvents } from '../../shared/ai-events/open-ai-events.ts';
import { awsSettings } from '../../shared/config/aws-settings.ts';
import { dynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import { leadScoringSettings } from '../../shared/config/lead-scoring-settings.ts';
import { modelSettings } from '../../shared/config/model-settings.ts';
import { ConfigurationError, readSettings } from '../../shared/config/read-settings.ts';
import { cacheRedisSettings } from '../../shared/config/redis-settings.ts';
import { leadModelId, leadScoring } from '../../shared/contracts/lead-scoring.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import { readLeads } from '../../shared/leads/read-leads.ts';
import { isOfType } from '../../shared/models/model-type.ts';
import { openModelStores } from '../../shared/models/open-model-stores.ts';
import { openServedModel } from '../../shared/models/open-served-model.ts';
import type { ModelStores } from '../../shared/models/registered-bundle.ts';
import { readRegisteredManifest } from '../../shared/models/registered-manifest.ts';
import { registeredSource } from '../../shared/models/registered-source.ts';
import type { ServedModel } from '../../shared/models/served-model.ts';
import { reportServedModel } from '../../shared/models/report-served-model.ts';
import type { CheckState } from '../../shared/process/health-routes.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import { hearModelChanges } from '../../shared/queue/hear-model-changes.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { finishLeadScoring, startLeadScoring } from './handle-lead-scoring.ts';
import type { LeadScoringDependencies } from './score-and-record.ts';
import { openShadow } from './open-shadow.ts';
import { createScoreCache } from './score-cache.ts';
import { createScoreRows } from './score-rows.ts';
import { createShadowRows } from './shadow-rows.ts';
import type { VersionInfo } from './to-answer.ts';

/** What is in the cache need not be scored again, so the first job waits a moment for it. */
const redisWaitMs = 1_000;
/** One is read, one is scored, one is recorded. */
const chunksAtOnce = 3;

export const prepareWorker: PrepareWorker = (environment) => {
  const settings = readSettings(
    {
      aws: awsSettings,
      dynamodb: dynamodbSettings,
      model: modelSettings,
      leadScoring: leadScoringSettings,
      cacheRedis: cacheRedisSettings,
    },
    environment,
  );
  const { artifacts } = settings.model;
  if (!artifacts) {
    const problem = 'not set: set ARTIFACTS_URL or ARTIFACTS_BUCKET, or run `presage up` in this folder';
    throw new ConfigurationError([{ variable: 'ARTIFACTS_URL', problem }]);
  }

  return async (resources, { redis, keys, database, log, metrics, consume }) => {
    const stores = resources.use(await openModelStores({ ...settings, artifacts }));
    const model = resources.use(
      await openServedModel({
        modelId: leadModelId,
        source: registeredSource(stores, leadModelId),
        types: ['binary_classifier'],
        ttlSeconds: settings.model.cacheTtlSeconds,
        metrics,
        log,
      }),
    );
    const challenger = resources.use(
      await openServedModel({
        modelId: leadModelId,
        source: registeredSource(stores, leadModelId, 'challenger'),
        types: ['binary_classifier'],
        ttlSeconds: settings.model.cacheTtlSeconds,
        metrics,
        log,
      }),
    );
    const shadow = resources.use(
      openShadow({ challenger, rows: createShadowRows(database.db), metrics, log }),
    );
    const cacheConnection = resources.use(connectRedis(settings.cacheRedis ?? redis, 'cache', log));
    const reports = resources.use(connectRedis(redis, 'producer', log));
    await Promise.all([cacheConnection.untilReady(redisWaitMs), reports.untilReady(redisWaitMs)]);
    const reporter = resources.use(
      reportServedModel({
        model,
        modelId: leadModelId,
        redis: reports.client,
        key: keys.servedModels(leadScoring.name),
        processId: uuid(),
        log,
      }),
    );
    const subscriber = resources.use(connectRedis(redis, 'subscriber', log));
    hearModelChanges(subscriber.client, { keys, log }, (modelId) => {
      if (modelId !== leadModelId) return;
      void model.refresh().then(() => reporter.report());
      void challenger.refresh();
    });
    const dependencies: LeadScoringDependencies = {
      model,
      describeVersion: (version) => describeVersion(stores, version),
      readLeads: (leadIds) => readLeads(database.db, leadIds),
      cache: createScoreCache({ redis: cacheConnection.client, metrics }),
      rows: createScoreRows(database.db),
      shadow,
      events: settings.leadScoring.telemetryEnabled
        ? resources.use(openAiEvents(database.db, log))
        : undefined,
      minFeatureCoverage: settings.leadScoring.minFeatureCoverage,
      now: () => Date.now(),
      chunkTurns: pLimit(chunksAtOnce),
    };
    consume(
      leadScoring,
      {
        start: (payload, context) => startLeadScoring(payload, context, dependencies),
        finish: finishLeadScoring,
      },
      { ownStoreIsUp: () => Promise.resolve(model.current() !== undefined) },
    );
    return () => Promise.resolve({ model: readiness(model) });
  };
};

async function describeVersion(stores: ModelStores, version: string): Promise<VersionInfo> {
  const found = await readRegisteredManifest(stores, leadModelId, version);
  if (!found) {
    const message = `The model ${leadModelId} has no version ${version} any more`;
    throw new JobError('permanent', message, { code: 'MODEL_VERSION_UNKNOWN' });
  }
  const { manifest, sha256 } = found;
  if (isOfType(manifest, 'binary_classifier')) return { manifest, sha256 };
  const message = `Version ${version} of ${leadModelId} is a ${manifest.model_type}, which scores no leads`;
  throw new JobError('permanent', message, { code: 'MODEL_TYPE_UNUSABLE' });
}

function readiness(model: ServedModel): CheckState {
  if (!model.current()) return 'failed';
  return model.problem() === undefined ? 'ok' : 'degraded';
}
