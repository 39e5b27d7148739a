import { awsSettings } from '../../shared/config/aws-settings.ts';
import { dynamodbSettings } from '../../shared/config/dynamodb-settings.ts';
import { executionSettings } from '../../shared/config/execution-settings.ts';
import {
  modelSettings,
  type ArtifactSettings,
  type ModelSettings,
} from '../../shared/config/model-settings.ts';
import { processSettings } from '../../shared/config/process-settings.ts';
import { ConfigurationError, readSettings } from '../../shared/config/read-settings.ts';
import { servingSettings } from '../../shared/config/serving-settings.ts';
import { modelServing } from '../../shared/contracts/model-serving.ts';
import { openArtifactStore } from '../../shared/models/open-artifact-store.ts';
import { openModelStores } from '../../shared/models/open-model-stores.ts';
import { connectRedis } from '../../shared/queue/connect-redis.ts';
import { hearModelChanges } from '../../shared/queue/hear-model-changes.ts';
import type { PrepareWorker } from '../../shared/queue/worker-clients.ts';
import { buildServingServer } from './build-serving-server.ts';
import { handleModelServing, type ModelServingDependencies } from './handle-model-serving.ts';
import { healthOf } from './models-health.ts';
import { openServedModels, type ServedModels } from './open-served-models.ts';
import { reportStart } from './report-start.ts';
import { openTaskCallback } from './task-callback.ts';

export const prepareWorker: PrepareWorker = (environment) => {
  const settings = readSettings(
    {
      aws: awsSettings,
      dynamodb: dynamodbSettings,
      model: modelSettings,
      serving: servingSettings,
      execution: executionSettings,
      process: processSettings,
    },
    environment,
  );
  const { serving, execution, aws } = settings;
  const isReported = execution.mode === 'step-functions';
  // Where a state waits for the start, it is told of this too.
  if (!isReported) requireArtifacts(settings.model);

  return async (resources, clients) => {
    const { redis, keys, log, metrics, tracing, consume, listensAt } = clients;

    async function start(): Promise<Started> {
      const artifacts = requireArtifacts(settings.model);
      const stores = resources.use(await openModelStores({ ...settings, artifacts }));
      const rows = serving.rows
        ? resources.use(await openArtifactStore(serving.rows, aws))
        : stores.artifacts;
      const models = resources.use(
        await openServedModels({
          stores,
          types: ['binary_classifier', 'hybrid_causal_model'],
          limits: serving,
          ttlSeconds: settings.model.cacheTtlSeconds,
          metrics,
          log,
        }),
      );
      const subscriber = resources.use(connectRedis(redis, 'subscriber', log));
      hearModelChanges(subscriber.client, { keys, log }, (modelId) => void models.refresh(modelId));

      const { access, host } = settings.process;
      const server = await buildServingServer({
        access,
        log,
        metrics,
        tracing,
        models,
        deadlineMs: serving.deadlineMs,
      });
      resources.defer(() => server.close());
      const url = await server.listen({ host, port: serving.port });
      listensAt(url);
      return { models, rows, results: stores.artifacts, url };
    }
    async function startReported(): Promise<Started> {
      const { taskToken } = execution;
      using callback =
        taskToken === undefined ? undefined : openTaskCallback({ ...execution, ...aws, taskToken });
      return await reportStart(start, { execution, callback, write: writeOut, log });
    }

    const dependencies = isReported ? await startReported() : await start();
    consume(modelServing, {
      start: (payload, context) => handleModelServing(payload, context, dependencies),
    });
    return () => Promise.resolve({ models: healthOf(dependencies.models).state });
  };
};

interface Started extends ModelServingDependencies {
  models: ServedModels;
  /** Where the models answer. */
  url: string;
}

/** @throws ConfigurationError */
function requireArtifacts({ artifacts }: ModelSettings): ArtifactSettings {
  if (artifacts) return artifacts;
  const problem = 'not set: set ARTIFACTS_URL or ARTIFACTS_BUCKET, or run `presage up` in this folder';
  throw new ConfigurationError([{ variable: 'ARTIFACTS_URL', problem }]);
}

function writeOut(text: string): void {
  process.stdout.write(text);
}
