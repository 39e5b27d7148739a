import { openInsightTable, type InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { openDynamodbProxy, type DynamodbFault } from '../../support/open-dynamodb-proxy.ts';
import {
  insightOf,
  openTestInsightTable,
  type TestInsightTable,
} from '../../support/open-test-insight-table.ts';
import { until } from '../../support/until.ts';

const expiresAt = Math.floor(Date.now() / 1_000) + 90 * 86_400;

let opened: TestInsightTable;
let table: InsightTable;
beforeAll(async () => {
  opened = await openTestInsightTable();
  ({ table } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

const outage = { kind: 'unavailable', code: 'STORE_UNAVAILABLE' };
const refused = (code: string) => ({ kind: 'permanent', code });

test.each<[string, DynamodbFault, object]>([
  ['a 500', { kind: 'answer', status: 500, type: 'InternalServerError' }, outage],
  ['a 503 without a body', { kind: 'answer', status: 503 }, outage],
  [
    'too many calls for the table',
    { kind: 'answer', status: 400, type: 'ProvisionedThroughputExceededException' },
    outage,
  ],
  ['too many calls for the account', { kind: 'answer', status: 400, type: 'RequestLimitExceeded' }, outage],
  ['throttling', { kind: 'answer', status: 400, type: 'ThrottlingException' }, outage],
  ['a reset', { kind: 'reset' }, outage],
  ['an answer that ends in its middle', { kind: 'cut-off' }, outage],
  [
    'no right to do it',
    { kind: 'answer', status: 400, type: 'AccessDeniedException' },
    refused('DYNAMODB_ACCESS_DENIED'),
  ],
  [
    'unknown credentials',
    { kind: 'answer', status: 400, type: 'UnrecognizedClientException' },
    refused('DYNAMODB_ACCESS_DENIED'),
  ],
  [
    'a token that has expired',
    { kind: 'answer', status: 400, type: 'ExpiredTokenException' },
    { kind: 'transient', code: 'DYNAMODB_ACCESS_DENIED' },
  ],
  [
    'no table',
    { kind: 'answer', status: 400, type: 'ResourceNotFoundException' },
    refused('DYNAMODB_TABLE_MISSING'),
  ],
  [
    'a call that is not valid',
    {
      kind: 'answer',
      status: 400,
      type: 'ValidationException',
      body: { message: 'cannot use stu_faults' },
    },
    refused('DYNAMODB_CALL_REFUSED'),
  ],
  ['nonsense', { kind: 'garbage' }, { kind: 'transient', code: 'DYNAMODB_FAILED' }],
])('%s', async (_what, fault, expected) => {
  await using proxy = await openDynamodbProxy(opened.emulator.url);
  using failing = openInsightTable({ ...opened.settings, endpointUrl: proxy.url }, opened.log);
  const insight = insightOf('stu_faults');
  proxy.failNext('PutItem', fault);
  proxy.failNext('Query', fault, 2);
  const failures: unknown[] = await Promise.all(
    [failing.keep(insight, expiresAt), failing.find(insight), failing.list('stu_faults', { limit: 1 })].map(
      (call) => call.catch((error: unknown) => error),
    ),
  );
  for (const failure of failures) {
    expect(failure).toMatchObject(expected);
    expect(String(failure)).not.toMatch(/stu_|secret/);
  }
  expect(failures.every((failure) => failure instanceof StoreUnavailableError)).toBe(expected === outage);
  // The queue owns the attempts.
  expect(proxy.operations.toSorted()).toEqual(['PutItem', 'Query', 'Query']);
});

test('one that hangs is given up after 3 s, at once when the caller gives up', async () => {
  await using proxy = await openDynamodbProxy(opened.emulator.url);
  const { callTimeoutMs: _, ...settings } = opened.settings;
  using hanging = openInsightTable({ ...settings, endpointUrl: proxy.url }, opened.log);
  proxy.failNext('Query', { kind: 'hang' }, 2);
  proxy.failNext('GetItem', { kind: 'hang' });
  const caller = new AbortController();
  const givenUp = hanging.find(insightOf('stu_hang'), caller.signal).catch((error: unknown) => error);
  await until(() => proxy.operations.includes('Query'));
  caller.abort();
  expect(await givenUp).toMatchObject({ kind: 'cancelled', code: 'ABORTED' });

  const listing = hanging.list('stu_hang', { limit: 1 }).catch((error: unknown) => error);
  expect(await hanging.isUp()).toBe(false);
  expect(await listing).toBeInstanceOf(StoreUnavailableError);
  await until(() => hanging.isUp());
});

test('a call whose caller has given up already is not made', async () => {
  await using proxy = await openDynamodbProxy(opened.emulator.url);
  using unasked = openInsightTable({ ...opened.settings, endpointUrl: proxy.url }, opened.log);
  await expect(unasked.keep(insightOf('stu_hang'), expiresAt, AbortSignal.abort())).rejects.toMatchObject({
    kind: 'cancelled',
  });
  expect(proxy.operations).toEqual([]);
});

test('is away, and comes back with what it had', async () => {
  const insight = insightOf('stu_outage');
  await table.keep(insight, expiresAt);
  await opened.emulator.stop();
  try {
    await expect(table.keep(insight, expiresAt)).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(table.list('stu_outage', { limit: 1 })).rejects.toThrow('DynamoDB does not answer');
    expect(await table.isUp()).toBe(false);
  } finally {
    await opened.emulator.start();
  }
  await until(() => table.isUp());
  expect(await table.find(insight)).toEqual(insight);
});
