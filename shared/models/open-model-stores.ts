import type { AwsSettings } from '../config/aws-settings.ts';
import type { DynamodbSettings } from '../config/dynamodb-settings.ts';
import type { ArtifactSettings } from '../config/model-settings.ts';
import type { DynamodbOptions } from '../dynamodb/open-dynamodb.ts';
import { openModelRegistryTable } from '../dynamodb/model-registry-table.ts';
import { openArtifactStore } from './open-artifact-store.ts';
import type { ModelStores } from './registered-bundle.ts';

/** Opens the registry and the artifact store. Neither connects before its first call. */
export async function openModelStores(settings: {
  dynamodb: DynamodbSettings & Pick<DynamodbOptions, 'callTimeoutMs'>;
  aws: AwsSettings;
  artifacts: ArtifactSettings;
}): Promise<ModelStores & Disposable> {
  const artifacts = await openArtifactStore(settings.artifacts, settings.aws);
  const registry = openModelRegistryTable({ ...settings.dynamodb, ...settings.aws });
  return {
    registry,
    artifacts,
    [Symbol.dispose]() {
      registry[Symbol.dispose]();
      artifacts[Symbol.dispose]();
    },
  };
}
