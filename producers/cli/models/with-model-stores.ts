import { awsSettings } from '../../../shared/config/aws-settings.ts';
import { dynamodbSettings } from '../../../shared/config/dynamodb-settings.ts';
import { modelSettings } from '../../../shared/config/model-settings.ts';
import { readSettings, type Environment } from '../../../shared/config/read-settings.ts';
import type { ModelStores } from '../../../shared/models/registered-bundle.ts';
import { CommandFailed } from '../usage-error.ts';

/**
 * Runs work with the registry and the files of models at hand, and closes both afterwards.
 *
 * @throws ConfigurationError; CommandFailed when nothing says where they are
 */
export async function withModelStores<Value>(
  environment: Environment,
  work: (stores: ModelStores) => Promise<Value>,
): Promise<Value> {
  const { dynamodb, aws, model } = readSettings(
    { dynamodb: dynamodbSettings, aws: awsSettings, model: modelSettings },
    environment,
  );
  if (!dynamodb.isConfigured) {
    throw new CommandFailed(
      'Nothing says where the model registry is: set AWS_ENDPOINT_URL_DYNAMODB, DYNAMODB=aws or ' +
        'MODEL_REGISTRY_TABLE, or run `presage up` in this folder.',
    );
  }
  if (!model.artifacts) {
    throw new CommandFailed(
      'Nothing says where the files of models are: set ARTIFACTS_BUCKET or ARTIFACTS_URL, or run `presage up` in ' +
        'this folder.',
    );
  }
  // The vendors' libraries take a while to load, so only who uses them waits for that.
  const { openModelStores } = await import('../../../shared/models/open-model-stores.ts');
  using stores = await openModelStores({ dynamodb, aws, artifacts: model.artifacts });
  return await work(stores);
}
