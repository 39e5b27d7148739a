import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
  type CreateTableCommandInput,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { setTimeout as delay } from 'node:timers/promises';
import { isLocalEndpoint } from '../aws/is-local-endpoint.ts';
import type { AwsSettings } from '../config/aws-settings.ts';
import type { DynamodbSettings } from '../config/dynamodb-settings.ts';
import { JobError } from '../errors/job-error.ts';
import { openDynamodb, type Dynamodb } from './open-dynamodb.ts';

/** A table of ours: its keys, and the attribute that says when an item expires, if any does. */
interface TableDefinition {
  name: string;
  /** The variable that names it. */
  variable: string;
  keys: readonly { attribute: string; keyType: 'HASH' | 'RANGE' }[];
  timeToLive?: string;
}

export interface TableStatus {
  name: string;
  /** The variable that names it. */
  variable: string;
  /** `foreign`: a table of that name has other keys than ours. */
  state: 'missing' | 'ready' | 'foreign';
  /** Whether what has expired is deleted; null where nothing expires or can be done about it, as in an emulator. */
  expires: boolean | null;
}

/** A table stands where one of ours belongs, and it is not ours. */
export class ForeignDynamodbTableError extends Error {
  constructor({ name, variable, keys }: TableDefinition) {
    const expected = keys.map(({ attribute }) => attribute).join(' and ');
    super(
      `The DynamoDB table ${name} exists already and has not the keys ${expected}, as strings. ` +
        `Give Presage a table of its own: ${variable}.`,
    );
    this.name = 'ForeignDynamodbTableError';
  }
}

const readyWithinMs = 60_000;
const lookEveryMs = 500;
/** Of a table that is read and written as ever. */
const usableStates: ReadonlySet<string | undefined> = new Set(['ACTIVE', 'UPDATING']);

type Settings = DynamodbSettings & AwsSettings;

/**
 * Makes the tables that are missing. Idempotent; several may run at once. Answers the names of those it made.
 *
 * @throws ForeignDynamodbTableError before that table is touched; what `Dynamodb.call` throws
 */
export async function prepareTables(settings: Settings): Promise<string[]> {
  using dynamodb = openDynamodb(settings);
  const made: string[] = [];
  for (const definition of tablesOf(settings)) {
    if (await ensure(dynamodb, definition)) made.push(definition.name);
    await expireItems(dynamodb, definition);
  }
  return made;
}

/** What there is of the tables. */
export async function tableStatuses(settings: Settings): Promise<TableStatus[]> {
  using dynamodb = openDynamodb(settings);
  const statuses: TableStatus[] = [];
  for (const definition of tablesOf(settings)) {
    const { name, variable, timeToLive } = definition;
    const table = await describe(dynamodb, name);
    if (!table) statuses.push({ name, variable, state: 'missing', expires: null });
    else if (!fits(table, definition)) statuses.push({ name, variable, state: 'foreign', expires: null });
    else {
      const isExpiring = timeToLive === undefined ? null : await expires(dynamodb, name);
      statuses.push({ name, variable, state: 'ready', expires: isExpiring });
    }
  }
  return statuses;
}

const itemKeys = [
  { attribute: 'pk', keyType: 'HASH' },
  { attribute: 'sk', keyType: 'RANGE' },
] as const;

/** Document 002's table, and the registry of models. */
function tablesOf({ insightTableName, modelRegistryTableName }: Settings): TableDefinition[] {
  return [
    { name: insightTableName, variable: 'DYNAMODB_TABLE_NAME', keys: itemKeys, timeToLive: 'ttl' },
    { name: modelRegistryTableName, variable: 'MODEL_REGISTRY_TABLE', keys: itemKeys },
  ];
}

async function describe(dynamodb: Dynamodb, name: string): Promise<TableDescription | undefined> {
  const command = new DescribeTableCommand({ TableName: name });
  return dynamodb.call(async (documents, options) => {
    try {
      return (await documents.send(command, options)).Table;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  });
}

/** False when somebody else is making the table. */
async function create(dynamodb: Dynamodb, { name, keys }: TableDefinition): Promise<boolean> {
  const input: CreateTableCommandInput = {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keys.map(({ attribute, keyType }) => ({ AttributeName: attribute, KeyType: keyType })),
    AttributeDefinitions: keys.map(({ attribute }) => ({ AttributeName: attribute, AttributeType: 'S' })),
  };
  return dynamodb.call(async (documents, options) => {
    try {
      await documents.send(new CreateTableCommand(input), options);
      return true;
    } catch (error) {
      if (error instanceof ResourceInUseException) return false;
      throw error;
    }
  });
}

/** Makes the table if there is none, also when one of its name is just being deleted. Answers whether it was made here. */
async function ensure(dynamodb: Dynamodb, definition: TableDefinition): Promise<boolean> {
  const { name } = definition;
  let isOurs = false;
  for (const endsAtMs = performance.now() + readyWithinMs; performance.now() < endsAtMs;) {
    const table = await describe(dynamodb, name);
    if (table && !fits(table, definition)) throw new ForeignDynamodbTableError(definition);
    if (table && usableStates.has(table.TableStatus)) return isOurs;
    if (!table && (await create(dynamodb, definition))) isOurs = true;
    else await delay(lookEveryMs);
  }
  throw new JobError(
    'unavailable',
    `The DynamoDB table ${name} is not ready after ${readyWithinMs / 1_000} s`,
    { code: 'DYNAMODB_TABLE_NOT_READY' },
  );
}

function fits(
  { KeySchema = [], AttributeDefinitions = [] }: TableDescription,
  { keys }: TableDefinition,
): boolean {
  return (
    KeySchema.length === keys.length &&
    keys.every(
      ({ attribute, keyType }) =>
        KeySchema.some((key) => key.AttributeName === attribute && key.KeyType === keyType) &&
        AttributeDefinitions.some(
          (defined) => defined.AttributeName === attribute && defined.AttributeType === 'S',
        ),
    )
  );
}

async function expireItems(dynamodb: Dynamodb, { name, timeToLive }: TableDefinition): Promise<void> {
  if (timeToLive === undefined || (await expires(dynamodb, name))) return;
  const command = new UpdateTimeToLiveCommand({
    TableName: name,
    TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
  });
  try {
    await dynamodb.call((documents, options) => documents.send(command, options));
  } catch (error) {
    if (isUnknownOperation(error)) return;
    // DynamoDB refuses to switch on what is on: somebody else was faster.
    if (!(await expires(dynamodb, name))) throw error;
  }
}

/** Null where an emulator does not know what is asked, or says no because it knows nothing else. */
async function expires(dynamodb: Dynamodb, name: string): Promise<boolean | null> {
  const command = new DescribeTimeToLiveCommand({ TableName: name });
  try {
    const answer = await dynamodb.call((documents, options) => documents.send(command, options));
    const status = answer.TimeToLiveDescription?.TimeToLiveStatus;
    if (status === 'ENABLED' || status === 'ENABLING') return true;
  } catch (error) {
    if (!isUnknownOperation(error)) throw error;
    return null;
  }
  return dynamodb.endpointUrl !== undefined && isLocalEndpoint(dynamodb.endpointUrl) ? null : false;
}

/** What an emulator says of an operation that it has not. DynamoDB itself has all of them. */
function isUnknownOperation(error: unknown): boolean {
  const cause = error instanceof JobError ? error.cause : undefined;
  return cause instanceof Error && cause.name === 'UnknownOperationException';
}
