import { churnInsight, insightSchema } from '../../../shared/contracts/churn-insight.ts';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { prepareWorker } from '../../../workers/churn-insight/main.ts';
import { openInsightStores, type InsightStores } from '../../support/open-insight-stores.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';
import { sampleAlerts } from '../../support/sample-alerts.ts';
import { busyMachineMs, until } from '../../support/until.ts';

let stores: InsightStores;
beforeAll(async () => {
  stores = await openInsightStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
afterEach(() => stores.llm.recover());

/** The worker as a process opens it, given its environment, behind a queue of its own. */
async function openWorker(resources: AsyncDisposableStack, environment: Environment): Promise<TestFleet> {
  const fleet = resources.use(await openTestFleet([churnInsight]));
  const open = prepareWorker({
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_DYNAMODB: stores.dynamodb.url,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: stores.llm.url,
    OPENAI_BASE_URL: stores.llm.chatUrl,
    ...environment,
  });
  const { redisSettings: redis, database, log, metrics, enqueue, consume } = fleet;
  const check = await open(resources, {
    redis,
    keys: fleet.keys,
    database,
    log,
    metrics,
    tracing: fleet.tracing,
    enqueue,
    listensAt: () => undefined,
    consume: (contract, handlers, { ownStoreIsUp } = {}) =>
      void consume(contract, handlers, {
        storeIsUp: async () => (await database.isUp()) && ((await ownStoreIsUp?.()) ?? true),
      }),
  });
  // It says that DynamoDB is away when that takes more than a second.
  await until(async () => (await check())['dynamodb'] === 'ok');
  return fleet;
}

async function resultOf(fleet: TestFleet, payload: unknown) {
  const { id } = await fleet.enqueue.enqueue(churnInsight, payload, { replyTo: fleet.results.name });
  return await fleet.results.wait(id, busyMachineMs);
}

test('Bedrock first, where there are credentials; OpenAI needs no key for a server of one’s own', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, { BEDROCK_MODEL_ID: 'anthropic.claude-haiku-4-5-20251001-v1:0' });
  const first = await resultOf(fleet, sampleAlerts.calls);
  expect(insightSchema.parse(first?.result).model_used).toBe(
    'bedrock-anthropic.claude-haiku-4-5-20251001-v1:0',
  );
  stores.llm.failAlways('converse', { kind: 'status', status: 500 });
  const second = await resultOf(fleet, sampleAlerts.health);
  expect(insightSchema.parse(second?.result).model_used).toBe('openai-gpt-4.1-fallback');
  expect(fleet.logLines.join('')).toContain('the models that are asked, in this order');
});

test('USE_BEDROCK=false never calls Bedrock', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, { USE_BEDROCK: 'false', OPENAI_MODEL_ID: 'gpt-4o' });
  const before = stores.llm.requests.length;
  const settled = await resultOf(fleet, sampleAlerts.balance);
  expect(insightSchema.parse(settled?.result).model_used).toBe('openai-gpt-4o');
  stores.llm.failAlways('chat', { kind: 'status', status: 401 });
  const { id } = await fleet.enqueue.enqueue(churnInsight, sampleAlerts.calls);
  await stores.llm.arrived(before + 2);
  await until(
    async () =>
      (await fleet.ledger.read(id))?.attempts === 0 &&
      fleet.logLines.some((line) => line.includes('put aside')),
  );
  expect(stores.llm.requests.slice(before).map(({ dialect }) => dialect)).not.toContain('converse');
});

test('with no model at all the baseline answers, and the log says why', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, { USE_BEDROCK: 'false', OPENAI_BASE_URL: '' });
  const settled = await resultOf(fleet, sampleAlerts.balance);
  expect(insightSchema.parse(settled?.result)).toMatchObject({ model_used: 'baseline-1', degraded: true });
  expect(fleet.logLines.join('')).toContain('neither Bedrock nor OpenAI is configured');
});

test('an alert of an unknown type that came past the API is a permanent failure, not tried again', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, {});
  const settled = await resultOf(fleet, { ...sampleAlerts.calls, alert_type: 'zebra', details: {} });
  expect(settled).toMatchObject({
    state: 'failed',
    attempts: 1,
    error: { kind: 'permanent', code: 'UNKNOWN_ALERT_TYPE' },
  });
});

test('the same alert sent again is the same job', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, {});
  const event = { id: 'event-twice', detail: { ...sampleAlerts.calls, entity_id: 'stu_twice' } };
  const before = stores.llm.requests.length;
  const first = await fleet.enqueue.enqueue(churnInsight, event);
  await until(async () => (await fleet.ledger.read(first.id))?.state === 'completed');
  const second = await fleet.enqueue.enqueue(churnInsight, event);
  expect(second).toMatchObject({ id: first.id, created: false });
  expect(stores.llm.requests).toHaveLength(before + 1);
  expect((await stores.items()).filter(({ entity_id }) => entity_id?.S === 'stu_twice')).toHaveLength(1);
});

test('an outage of DynamoDB spends no attempt and no second call', async () => {
  await using resources = new AsyncDisposableStack();
  const fleet = await openWorker(resources, {});
  const before = stores.llm.requests.length;
  await stores.dynamodb.stop();
  const { id } = await fleet.enqueue.enqueue(churnInsight, {
    ...sampleAlerts.calls,
    entity_id: 'stu_outage',
  });
  await until(() => fleet.logLines.some((line) => line.includes('given back: our own store is away')));
  await stores.dynamodb.start();
  await until(async () => (await fleet.ledger.read(id))?.state === 'completed');
  expect((await fleet.ledger.read(id))?.attempts).toBe(1);
  expect(stores.llm.requests).toHaveLength(before + 1);
  expect((await stores.items()).filter(({ entity_id }) => entity_id?.S === 'stu_outage')).toHaveLength(1);
});
