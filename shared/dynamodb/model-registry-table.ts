import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  GetCommand,
  PutCommand,
  paginateQuery,
  paginateScan,
  type PutCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { DynamodbSettings } from '../config/dynamodb-settings.ts';
import { JobError } from '../errors/job-error.ts';
import type { ChampionChange, ModelAlias, ModelRegistry, RegisteredModel } from '../models/model-registry.ts';
import {
  aliasKey,
  aliasedVersion,
  fromVersionItem,
  modelsOfItems,
  partitionKey,
  toAliasItem,
  toVersionItem,
  versionKey,
  type RegistryKey,
} from './model-registry-item.ts';
import { openDynamodb, type DynamodbOptions } from './open-dynamodb.ts';

/** So many changes of the champion are kept, and so many former champions to go back to. */
const historyKept = 100;
/** The whole registry is read page by page. */
const listTimeoutMs = 30_000;

/** The registry in DynamoDB. Connects with the first call. Every call throws what `Dynamodb.call` throws. */
export function openModelRegistryTable(settings: DynamodbSettings & DynamodbOptions): ModelRegistry {
  const dynamodb = openDynamodb(settings);
  const tableName = settings.modelRegistryTableName;

  async function get(key: RegistryKey): Promise<unknown> {
    const command = new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true });
    return (await dynamodb.call((documents, options) => documents.send(command, options))).Item;
  }

  async function versionOfAlias(modelId: string, alias: ModelAlias): Promise<string | undefined> {
    const item = await get(aliasKey(modelId));
    return item === undefined ? undefined : aliasedVersion(item, alias);
  }

  /** Whether the condition held, so that the item is stored. */
  async function put(input: Omit<PutCommandInput, 'TableName'>): Promise<boolean> {
    const command = new PutCommand({ TableName: tableName, ...input });
    return dynamodb.call(async (documents, options) => {
      try {
        await documents.send(command, options);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    });
  }

  /** Stores the changed model's aliases if nobody changed them since they were read. */
  async function change(model: RegisteredModel): Promise<void> {
    const isUnchanged = await put({
      Item: toAliasItem({ ...model, revision: model.revision + 1 }),
      ConditionExpression: 'attribute_not_exists(pk) OR revision = :seen',
      ExpressionAttributeValues: { ':seen': model.revision },
    });
    if (isUnchanged) return;
    throw refusal(
      'REGISTRY_CHANGED',
      `Somebody else has just changed which versions of ${model.modelId} are served: look again first`,
    );
  }

  return {
    async register(version) {
      const item = toVersionItem({ ...version, registeredAt: new Date().toISOString() });
      if (await put({ Item: item, ConditionExpression: 'attribute_not_exists(pk)' })) return true;
      const known = fromVersionItem(await get(versionKey(version)));
      if (known.manifestSha256 === version.manifestSha256) return false;
      const what = `${version.modelId} ${version.version}`;
      throw refusal(
        'MODEL_VERSION_TAKEN',
        `${what} is registered with other content. A version never changes: give the bundle a new one`,
      );
    },

    async list() {
      const items = await dynamodb.call(
        async (client, { abortSignal }) => {
          const found: unknown[] = [];
          const pages = paginateScan(
            { client },
            { TableName: tableName, ConsistentRead: true },
            { abortSignal },
          );
          for await (const page of pages) found.push(...(page.Items ?? []));
          return found;
        },
        { timeoutMs: listTimeoutMs },
      );
      return modelsOfItems(items);
    },

    async read(modelId) {
      const query = {
        TableName: tableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': partitionKey(modelId) },
        ConsistentRead: true,
      };
      const items = await dynamodb.call(async (client, { abortSignal }) => {
        const found: unknown[] = [];
        for await (const page of paginateQuery({ client }, query, { abortSignal }))
          found.push(...(page.Items ?? []));
        return found;
      });
      return modelsOfItems(items)[0];
    },

    async find(modelId, which) {
      const version = isAlias(which) ? await versionOfAlias(modelId, which) : which;
      if (version === undefined) return undefined;
      const item = await get(versionKey({ modelId, version }));
      return item === undefined ? undefined : fromVersionItem(item);
    },

    async promote(model, version) {
      requireVersion(model, version);
      if (model.champion === version) return false;
      await change({
        ...model,
        champion: version,
        challenger: model.challenger === version ? undefined : model.challenger,
        formerChampions:
          model.champion === undefined
            ? model.formerChampions
            : [...model.formerChampions, model.champion].slice(-historyKept),
        history: withChange(model, { version, action: 'promote' }),
      });
      return true;
    },

    async rollBack(model) {
      const version = model.formerChampions.at(-1);
      if (version === undefined) {
        throw refusal('NO_FORMER_CHAMPION', `${model.modelId} has no former champion to go back to`);
      }
      await change({
        ...model,
        champion: version,
        challenger: model.challenger === version ? undefined : model.challenger,
        formerChampions: model.formerChampions.slice(0, -1),
        history: withChange(model, { version, action: 'rollback' }),
      });
      return version;
    },

    async setChallenger(model, version) {
      if (version !== undefined) requireVersion(model, version);
      if (version !== undefined && version === model.champion) {
        throw refusal(
          'MODEL_VERSION_SERVED',
          `${model.modelId} ${version} is the champion: it cannot be compared with itself`,
        );
      }
      if (version === model.challenger) return false;
      await change({ ...model, challenger: version });
      return true;
    },

    [Symbol.dispose]() {
      dynamodb[Symbol.dispose]();
    },
  };
}

function isAlias(which: string): which is ModelAlias {
  return which === 'champion' || which === 'challenger';
}

function withChange({ history }: RegisteredModel, change: Omit<ChampionChange, 'at'>): ChampionChange[] {
  return [...history, { ...change, at: new Date().toISOString() }].slice(-historyKept);
}

function requireVersion({ modelId, versions }: RegisteredModel, version: string): void {
  if (versions.some((known) => known.version === version)) return;
  throw refusal('MODEL_VERSION_UNKNOWN', `${modelId} ${version} is not registered`);
}

function refusal(code: string, message: string): JobError {
  return new JobError('permanent', message, { code });
}
