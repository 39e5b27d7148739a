import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { runPresage } from '../../support/run-presage.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const enqueue = (...argv: string[]) =>
  runPresage(['enqueue', 'churn-insight', '--delay', '600000', ...argv], {
    REDIS_URL: process.env['TEST_REDIS_URL'],
    DATABASE_URL: database.url,
  });

test("document 002's test alert is accepted from its file, once", async () => {
  const file = path.join(import.meta.dirname, '../../fixtures/test-alert.json');
  const [first, second] = [await enqueue('--file', file), await enqueue('--file', file)];
  expect(first).toMatchObject({ exitCode: 0, messages: '' });
  expect(JSON.parse(first.output)).toMatchObject({ queue: 'churn-insight', state: 'accepted' });
  expect(second).toEqual(first);
});

test('an alert of an unknown type is accepted: a later version may know it', async () => {
  const alert = { ...sampleAlerts.calls, alert_type: 'zebra', details: { stripes: 40 } };
  expect(await enqueue('--json', JSON.stringify(alert))).toMatchObject({ exitCode: 0 });
});

test('what is wrong with an alert is told by the names of its fields', async () => {
  const { entity_id: _, ...detail } = sampleAlerts.health;
  const broken = { ...detail, details: { ...detail.details, health_score: 'low' } };
  for (const [payload, prefix] of [
    [broken, ''],
    [{ id: 'e', detail: broken }, 'detail.'],
  ] as const) {
    const { exitCode, output, messages } = await enqueue('--json', JSON.stringify(payload));
    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' });
    expect(messages).toContain(`  ${prefix}entity_id: `);
    expect(messages).toContain(`  ${prefix}details.health_score: `);
    expect(messages.trim().split('\n')).toHaveLength(3);
  }
});
