import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { DynamodbSettings } from '../config/dynamodb-settings.ts';
import type { Insight } from '../contracts/churn-insight.ts';
import { JobError } from '../errors/job-error.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import { deleteItems } from './delete-items.ts';
import { fromInsightItem, microsecondsLater, partitionKey, toInsightItem } from './insight-item.ts';
import { openDynamodb, type DynamodbOptions } from './open-dynamodb.ts';

/** So many insights of one entity can claim the same microsecond before one is refused. */
const timestampsTried = 1_000;
const isUpWithinMs = 1_000;

export interface InsightPage {
  insights: Insight[];
  /** `before` of the next page; null when this is the last one. */
  nextCursor: string | null;
}

/** The insights in DynamoDB. Every call throws what `Dynamodb.call` throws, StoreUnavailableError among it. */
export interface InsightTable extends Disposable {
  /**
   * Stores an insight once per job. Answers what is stored: that of an earlier run of the job if there is one. Its
   * timestamp is moved by microseconds where another job's insight of the same entity has it.
   *
   * @param ttlSeconds when it expires, in seconds since the epoch
   */
  keep(insight: Insight, ttlSeconds: number, signal?: AbortSignal): Promise<Insight>;
  /** What an earlier run of the job stored. */
  find(
    insight: Pick<Insight, 'entity_id' | 'timestamp' | 'job_id'>,
    signal?: AbortSignal,
  ): Promise<Insight | undefined>;
  /**
   * Newest first, expired ones left out.
   *
   * @param page.before the `nextCursor` of the page before
   */
  list(entityId: string, page: { limit: number; before?: string | undefined }): Promise<InsightPage>;
  /** Deletes every insight of an entity, expired ones too. Answers how many there were. */
  forget(entityId: string): Promise<number>;
  /** Whether the table can be read now. Never rejects. */
  isUp(): Promise<boolean>;
}

/** Connects with the first call. */
export function openInsightTable(settings: DynamodbSettings & DynamodbOptions, log: Logger): InsightTable {
  const dynamodb = openDynamodb(settings);
  const tableName = settings.insightTableName;

  async function* query(input: Omit<QueryCommandInput, 'TableName'>, signal?: AbortSignal) {
    let startKey: Record<string, unknown> | undefined;
    do {
      const command = new QueryCommand({
        TableName: tableName,
        ...input,
        ...(startKey ? { ExclusiveStartKey: startKey } : {}),
      });
      const answer = await dynamodb.call((documents, options) => documents.send(command, options), {
        signal,
      });
      yield* answer.Items ?? [];
      startKey = answer.LastEvaluatedKey;
    } while (startKey);
  }

  /** What the job has stored, or, if nothing, the timestamps that other jobs have. */
  async function look(
    { entity_id, timestamp, job_id }: Pick<Insight, 'entity_id' | 'timestamp' | 'job_id'>,
    signal?: AbortSignal,
  ): Promise<{ ours: Insight | undefined; taken: ReadonlySet<unknown> }> {
    const taken = new Set<unknown>();
    const items = query(
      {
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
        ExpressionAttributeValues: {
          ':pk': partitionKey(entity_id),
          ':first': timestamp,
          ':last': microsecondsLater(timestamp, timestampsTried - 1),
        },
        ConsistentRead: true,
      },
      signal,
    );
    for await (const item of items) {
      if (item['job_id'] === job_id) return { ours: storedInsight(item), taken };
      taken.add(item['sk']);
    }
    return { ours: undefined, taken };
  }

  /** Whether the key was free. */
  async function put(insight: Insight, ttlSeconds: number, signal?: AbortSignal): Promise<boolean> {
    const command = new PutCommand({
      TableName: tableName,
      Item: toInsightItem(insight, ttlSeconds),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    return dynamodb.call(
      async (documents, options) => {
        try {
          await documents.send(command, options);
          return true;
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return false;
          throw error;
        }
      },
      { signal },
    );
  }

  return {
    async keep(insight, ttlSeconds, signal) {
      let { timestamp } = insight;
      // Each round another job's insight took the key first. A job takes a key only when all before it are taken
      // by others, and items stay: so two runs of one job at once never store two.
      for (let round = 0; round < timestampsTried; round++) {
        const moved = { ...insight, timestamp };
        if (await put(moved, ttlSeconds, signal)) return moved;
        const { ours, taken } = await look(insight, signal);
        if (ours) return ours;
        const free = firstFree(insight.timestamp, taken);
        if (free === undefined) break;
        timestamp = free;
      }
      throw new JobError('permanent', 'Too many insights of one entity have the same timestamp', {
        code: 'INSIGHT_TIMESTAMPS_TAKEN',
      });
    },

    async find(insight, signal) {
      return (await look(insight, signal)).ours;
    },

    async list(entityId, { limit, before }) {
      const items = query({
        KeyConditionExpression: before === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :before',
        // DynamoDB deletes what has expired within days, not at once.
        FilterExpression: '#ttl > :now',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':pk': partitionKey(entityId),
          ':now': Math.floor(Date.now() / 1_000),
          ...(before === undefined ? {} : { ':before': before }),
        },
        ScanIndexForward: false,
        Limit: limit + 1,
      });
      const insights: Insight[] = [];
      let unreadable = 0;
      let isMore = false;
      for await (const item of items) {
        const insight = fromInsightItem(item);
        if (insight === undefined) unreadable++;
        else if (insights.length < limit) insights.push(insight);
        else {
          isMore = true;
          break;
        }
      }
      if (unreadable > 0) {
        log.warn({ table: tableName, items: unreadable }, 'items that are no insights of ours were left out');
      }
      return { insights, nextCursor: isMore ? (insights.at(-1)?.timestamp ?? null) : null };
    },

    async forget(entityId) {
      const items = query({
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': partitionKey(entityId) },
        ProjectionExpression: 'pk, sk',
        ConsistentRead: true,
      });
      const found: Record<string, unknown>[] = [];
      for await (const item of items) found.push(item);
      await deleteItems(dynamodb, tableName, found);
      return found.length;
    },

    async isUp() {
      const command = new GetCommand({ TableName: tableName, Key: { pk: 'presage#probe', sk: '-' } });
      try {
        await dynamodb.call((documents, options) => documents.send(command, options), {
          timeoutMs: isUpWithinMs,
        });
        return true;
      } catch {
        return false;
      }
    },

    [Symbol.dispose]() {
      dynamodb[Symbol.dispose]();
    },
  };
}

/** @throws JobError when somebody changed the item */
function storedInsight(item: unknown): Insight {
  const insight = fromInsightItem(item);
  if (insight) return insight;
  throw new JobError('permanent', 'The stored insight of this job is not readable', {
    code: 'INSIGHT_ITEM_INVALID',
  });
}

function firstFree(timestamp: string, taken: ReadonlySet<unknown>): string | undefined {
  for (let microseconds = 0; microseconds < timestampsTried; microseconds++) {
    const candidate = microsecondsLater(timestamp, microseconds);
    if (!taken.has(candidate)) return candidate;
  }
  return undefined;
}
