import { forgetPerson } from '../../../producers/cli/forget/forget-person.ts';
import { personWithUserId } from '../../../producers/cli/forget/person-with-user-id.ts';
import { churnInsight } from '../../../shared/contracts/churn-insight.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { openInsightStores, type InsightStores } from '../../support/open-insight-stores.ts';
import { runPresage } from '../../support/run-presage.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';
import { useForgetRoom } from '../../support/use-forget-room.ts';

const userId = 'stu_4532';
/** Others whose ids hold the person's. */
const longerIds = ['stu_45321', 'stu_4532_b'];

const room = useForgetRoom([churnInsight, callTimePrediction]);
let stores: InsightStores;
beforeAll(async () => {
  stores = await openInsightStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

async function submitDelayed(): Promise<string> {
  const alert = { ...sampleAlerts.calls, entity_id: userId, message: 'Zelda called' };
  return (await room.fleet.enqueue.enqueue(churnInsight, alert, { delayMs: 60_000 })).id;
}

describe('presage forget --user', () => {
  const environment = () => ({
    ...room.fleet.environment,
    AWS_ENDPOINT_URL_DYNAMODB: stores.dynamodb.url,
    AWS_EC2_METADATA_DISABLED: 'true',
  });

  test('removes what the person did and what became of them, and nobody else', async () => {
    const occurredAt = new Date();
    const { db } = room.fleet.database;
    const users = [...Array.from({ length: 600 }, () => userId), ...longerIds];
    await db
      .insertInto('activity_log')
      .values(users.map((id) => ({ user_id: id, activity_type: 'login', occurred_at: occurredAt })))
      .execute();
    const outcome = { page_key: null, job_id: null, happened: 1, occurred_at: occurredAt };
    await db
      .insertInto('outcomes')
      .values([
        { ...outcome, event_id: 'o1', kind: 'churned', subject: userId },
        { ...outcome, event_id: 'o2', kind: 'call_answered', subject: userId },
        ...longerIds.map((id) => ({ ...outcome, event_id: id, kind: 'churned' as const, subject: id })),
      ])
      .execute();
    const done = await forgetPerson(personWithUserId(userId), 0, {
      ...room.fleet,
      db,
      cache: room.fleet.redis,
      insights: undefined,
      queues: [churnInsight.name],
    });
    expect(done).toMatchObject({ events_deleted: 600, outcomes_deleted: 2 });
    const left = await db.selectFrom('activity_log').select('user_id').execute();
    expect(left.map((row) => row.user_id).sort()).toEqual([...longerIds].sort());
    expect(await db.selectFrom('outcomes').selectAll().execute()).toHaveLength(longerIds.length);
  });

  test('prints what it did, without the id', async () => {
    const id = await submitDelayed();
    const run = await runPresage(['forget', '--user', userId], environment());
    expect(run).toMatchObject({ exitCode: 0, messages: '' });
    expect(JSON.parse(run.output)).toMatchObject({ jobs_rewritten: 1, insights_deleted: 0, running: [] });
    expect(run.output).not.toContain(userId);
    expect(await room.fleet.ledger.read(id)).toMatchObject({
      state: 'cancelled',
      payload: { entity_id: '[forgotten]' },
    });
  });

  test('without DynamoDB it says that it looked for no insights', async () => {
    await submitDelayed();
    const { AWS_ENDPOINT_URL_DYNAMODB: _, ...without } = environment();
    const run = await runPresage(['forget', '--user', userId], without);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.messages).toContain('DynamoDB is not configured, so no insight was looked for');
    expect(JSON.parse(run.output)).toMatchObject({ jobs_rewritten: 1, insights_deleted: 0 });
  });

  test.each([
    ['does not answer', { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' }],
    ['table does not exist', { DYNAMODB_TABLE_NAME: 'another-table' }],
  ])('DynamoDB %s: nothing is done', async (message, variables) => {
    const id = await submitDelayed();
    const run = await runPresage(['forget', '--user', userId], { ...environment(), ...variables });
    expect(run).toMatchObject({ exitCode: 1, output: '' });
    expect(run.messages).toContain(message);
    expect(run.messages).toContain('Nothing has been forgotten.');
    expect(run.messages).not.toMatch(/\n\s+at /);
    expect(await room.fleet.ledger.read(id)).toMatchObject({
      state: 'accepted',
      payload: { entity_id: userId },
    });
  });
});
