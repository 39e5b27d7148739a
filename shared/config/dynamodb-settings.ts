import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { urlWithScheme } from './setting-types.ts';

export interface DynamodbSettings {
  /** Whether the environment says anything about DynamoDB: an address, that it is AWS's, or a table. */
  isConfigured: boolean;
  region: string;
  /** An address that replaces AWS's own, for example a local emulator. */
  endpointUrl: string | undefined;
  /** Where the insights are. */
  insightTableName: string;
  /** Which versions of which models there are. */
  modelRegistryTableName: string;
}

const tableName = z.string().regex(/^[a-zA-Z0-9_.-]{3,255}$/, {
  error: 'must be 3 to 255 letters, digits, dots, hyphens or underscores',
});

export const dynamodbSettings = settingGroup(
  z.object({
    AWS_REGION: z.string().default('us-east-1'),
    AWS_ENDPOINT_URL_DYNAMODB: urlWithScheme(['http:', 'https:']).optional(),
    DYNAMODB: z.literal('aws', { error: 'must be aws, or not set' }).optional(),
    DYNAMODB_TABLE_NAME: tableName.optional(),
    MODEL_REGISTRY_TABLE: tableName.optional(),
  }),
  (values, report): DynamodbSettings => {
    const insightTableName = values.DYNAMODB_TABLE_NAME ?? 'presage-insights';
    const modelRegistryTableName = values.MODEL_REGISTRY_TABLE ?? 'presage-models';
    if (insightTableName === modelRegistryTableName) {
      report('MODEL_REGISTRY_TABLE', 'must be another table than that of the insights');
    }
    return {
      isConfigured:
        values.AWS_ENDPOINT_URL_DYNAMODB !== undefined ||
        values.DYNAMODB !== undefined ||
        values.DYNAMODB_TABLE_NAME !== undefined ||
        values.MODEL_REGISTRY_TABLE !== undefined,
      region: values.AWS_REGION,
      endpointUrl: values.AWS_ENDPOINT_URL_DYNAMODB,
      insightTableName,
      modelRegistryTableName,
    };
  },
);
