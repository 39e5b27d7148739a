import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreUnavailableError } from '../errors/job-error.ts';
import type { Dynamodb } from './open-dynamodb.ts';

/** DynamoDB takes no more in one call. */
const itemsPerCall = 25;
/** For one batch. DynamoDB leaves items for later when it is asked for too much. */
const triesPerBatch = 8;
const firstPauseMs = 50;

/**
 * Deletes items by their keys. Those that DynamoDB leaves for later are asked for again, after growing pauses.
 *
 * @throws StoreUnavailableError when it still leaves some, and what `Dynamodb.call` throws
 */
export async function deleteItems(
  dynamodb: Dynamodb,
  tableName: string,
  keys: readonly Record<string, unknown>[],
): Promise<void> {
  for (let start = 0; start < keys.length; start += itemsPerCall) {
    await deleteBatch(dynamodb, tableName, keys.slice(start, start + itemsPerCall));
  }
}

async function deleteBatch(
  dynamodb: Dynamodb,
  tableName: string,
  keys: readonly Record<string, unknown>[],
): Promise<void> {
  let left = keys.map((Key) => ({ DeleteRequest: { Key } }));
  for (let tries = 0; tries < triesPerBatch; tries++) {
    if (tries > 0) await delay(firstPauseMs * 2 ** (tries - 1));
    const command = new BatchWriteCommand({ RequestItems: { [tableName]: left } });
    const answer = await dynamodb.call((documents, options) => documents.send(command, options));
    left = (answer.UnprocessedItems?.[tableName] ?? []).flatMap(({ DeleteRequest }) =>
      DeleteRequest?.Key ? [{ DeleteRequest: { Key: DeleteRequest.Key } }] : [],
    );
    if (left.length === 0) return;
  }
  throw new StoreUnavailableError('dynamodb', new Error('items were left for later again and again'));
}
