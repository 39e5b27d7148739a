import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { DynamodbSettings } from '../../../shared/config/dynamodb-settings.ts';
import { JobError, StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('dynamodb');

/** What to do about failures that have a code of their own. */
const mends: Readonly<Record<string, string>> = {
  DYNAMODB_ACCESS_DENIED:
    'Give these credentials dynamodb:DescribeTable, DescribeTimeToLive, PutItem, GetItem, Query, Scan and BatchWriteItem on the tables.',
};

export async function checkDynamodb(
  settings: DynamodbSettings,
  { mayAskInstanceMetadata }: AwsSettings,
): Promise<Finding[]> {
  if (!settings.isConfigured) {
    const finding = `nothing is configured: insights would go to the table ${settings.insightTableName} of AWS`;
    const mend = 'Set AWS_ENDPOINT_URL_DYNAMODB, or DYNAMODB=aws with DYNAMODB_TABLE_NAME.';
    return [report.warn('endpoint', finding, mend)];
  }
  // The vendor's library takes a while to load, so only who uses it waits for that.
  const { tableStatuses } = await import('../../../shared/dynamodb/prepare-tables.ts');
  try {
    const tables = await tableStatuses({ ...settings, mayAskInstanceMetadata });
    return [report.ok('endpoint', 'answers'), ...tables.flatMap(judgeTable)];
  } catch (error) {
    if (error instanceof StoreUnavailableError) {
      const mend = 'Start it, or correct AWS_ENDPOINT_URL_DYNAMODB or AWS_REGION.';
      return [report.fail('endpoint', 'does not answer', mend)];
    }
    if (!(error instanceof JobError)) throw error;
    return [
      report.fail('endpoint', error.message, mends[error.code] ?? 'See what DynamoDB says in its logs.'),
    ];
  }
}

type TableStatus = Awaited<
  ReturnType<typeof import('../../../shared/dynamodb/prepare-tables.ts').tableStatuses>
>[number];

function judgeTable({ name, variable, state, expires }: TableStatus): Finding[] {
  if (state === 'missing')
    return [report.fail('table', `${name} does not exist`, 'Run `presage migrate up`.')];
  if (state === 'foreign') {
    const mend = `Give Presage a table of its own: ${variable}.`;
    return [report.fail('table', `${name} has other keys than Presage's`, mend)];
  }
  const table = report.ok('table', `${name} is there`);
  if (expires !== false) return [table];
  const mend = 'Run `presage migrate up`, or enable time to live on the attribute ttl.';
  return [table, report.warn('expiry', `${name} keeps what has expired`, mend)];
}
