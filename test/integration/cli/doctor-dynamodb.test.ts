import { openDoctor, type Doctor } from '../../support/open-doctor.ts';
import { openDynamodbProxy, type DynamodbFault } from '../../support/open-dynamodb-proxy.ts';
import { runPresage } from '../../support/run-presage.ts';

let doctor: Doctor;
beforeAll(async () => {
  doctor = await openDoctor();
});
afterAll(() => doctor[Symbol.asyncDispose]());

describe('DynamoDB', () => {
  test('nothing is said of it: a warning that names the table', async () => {
    const { exitCode, amiss } = await doctor.examine({ AWS_ENDPOINT_URL_DYNAMODB: '' });
    expect(exitCode).toBe(0);
    expect(amiss).toEqual([
      'warn dynamodb endpoint: nothing is configured: insights would go to the table presage-insights of AWS',
    ]);
  });

  test('no table yet, until it is made', async () => {
    const other = { DYNAMODB_TABLE_NAME: 'iops-dashboard-metrics' };
    const missing = await doctor.examine(other);
    expect(missing.exitCode).toBe(1);
    expect(missing.amiss).toEqual(['fail dynamodb table: iops-dashboard-metrics does not exist']);
    expect((await runPresage(['migrate'], { ...doctor.environment, ...other })).exitCode).toBe(0);
    expect(await doctor.examine(other)).toMatchObject({ exitCode: 0, amiss: [] });
  });

  test.each<[string, string, DynamodbFault, string]>([
    [
      'a table of somebody else',
      'DescribeTable',
      { kind: 'answer', status: 200, body: { Table: { TableStatus: 'ACTIVE', KeySchema: [] } } },
      'fail dynamodb table: presage-insights has other keys than Presage',
    ],
    [
      'no right to look',
      'DescribeTable',
      { kind: 'answer', status: 400, type: 'AccessDeniedException' },
      'fail dynamodb endpoint: The credentials for DynamoDB are missing or not accepted',
    ],
    [
      'an outage',
      'DescribeTable',
      { kind: 'answer', status: 503 },
      'fail dynamodb endpoint: does not answer',
    ],
    [
      'nonsense instead of an answer',
      'DescribeTable',
      { kind: 'garbage' },
      'fail dynamodb endpoint: DynamoDB gave no answer that can be used',
    ],
  ])('%s', async (_what, operation, fault, expected) => {
    await using proxy = await openDynamodbProxy(doctor.environment.AWS_ENDPOINT_URL_DYNAMODB);
    proxy.failNext(operation, fault);
    const { exitCode, amiss, text } = await doctor.examine({ AWS_ENDPOINT_URL_DYNAMODB: proxy.url });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringContaining(expected)]);
    expect(text).not.toContain('secret.ts');
  });

  test('a table that keeps what has expired: a warning, unless it is an emulator’s', async () => {
    // An address that is not known to be this machine's, and leads here nevertheless.
    const url = doctor.environment.AWS_ENDPOINT_URL_DYNAMODB.replace('127.0.0.1', '0.0.0.0');
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'own';
    try {
      expect(await doctor.examine({ AWS_ENDPOINT_URL_DYNAMODB: url })).toMatchObject({
        exitCode: 0,
        amiss: ['warn dynamodb expiry: presage-insights keeps what has expired'],
      });
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });

  test('one that hangs is not waited for', async () => {
    const { exitCode, amiss } = await doctor.examine({
      AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${doctor.silentPort}`,
    });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual(['fail dynamodb endpoint: does not answer']);
  });
});
