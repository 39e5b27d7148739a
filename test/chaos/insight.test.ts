import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { churnInsight, insightSchema } from '../../shared/contracts/churn-insight.ts';
import { inventInsight } from '../../shared/emulators/invent-insight.ts';
import { openLlmServer, type LlmServer } from '../../shared/emulators/llm-server.ts';
import { openDynamodbGate, type DynamodbGate } from '../support/open-dynamodb-gate.ts';
import { openPrivateServers } from '../support/open-private-servers.ts';
import { openRunningFleet, type RunningFleet } from '../support/open-running-fleet.ts';
import { readLogLines } from '../support/read-log-lines.ts';
import { runPresage } from '../support/run-presage.ts';
import { sampleAlerts } from '../support/sample-alerts.ts';
import { busyMachineMs, until } from '../support/until.ts';

const queue = churnInsight.name;

/** Whether every fifth call of a vendor fails. */
let isShaky = false;
const calls = { converse: 0, chat: 0 };

let resources: AsyncDisposableStack;
let llm: LlmServer;
let gate: DynamodbGate;
let running: RunningFleet;
beforeAll(async () => {
  resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  gate = resources.use(await openDynamodbGate((await servers.startDynamodb()).url));
  llm = resources.use(
    await openLlmServer({
      latencyMs: 20,
      answer: ({ messages }) => JSON.stringify(inventInsight(messages[0]?.text ?? '')),
      faultFor({ dialect }) {
        calls[dialect] += 1;
        return isShaky && calls[dialect] % 5 === 0 ? { kind: 'status', status: 500 } : undefined;
      },
    }),
  );
  running = resources.use(
    await openRunningFleet({
      environment: {
        LOG_LEVEL: 'trace',
        AWS_ENDPOINT_URL_DYNAMODB: gate.url,
        USE_BEDROCK: 'true',
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: llm.url,
        OPENAI_BASE_URL: llm.chatUrl,
        OPENAI_MODEL_ID: 'gpt-4.1',
      },
    }),
  );
});
afterAll(() => resources.disposeAsync());

const pageSchema = z.object({ insights: z.array(insightSchema), next_cursor: z.string().nullable() });

/** The insights of an entity, as the API reads them. */
async function insightsOf(entityId: string) {
  const insights: z.output<typeof insightSchema>[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const more = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const url = `${running.fleet.describe().api}/v1/insights/${entityId}?limit=100${more}`;
    const page = pageSchema.parse(await (await fetch(url)).json());
    insights.push(...page.insights);
    cursor = page.next_cursor;
  }
  return insights;
}

async function send(alert: unknown): Promise<string> {
  const response = await fetch(`${running.fleet.describe().api}/v1/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alert),
  });
  if (response.status !== 202) throw new Error(`refused with ${response.status}: ${await response.text()}`);
  return z.object({ job_id: z.string() }).parse(await response.json()).job_id;
}

test("document 002's test alert, through a webhook and from a file: one insight, and it is printed", async () => {
  const file = path.join(import.meta.dirname, '../fixtures/test-alert.json');
  const response = await fetch(`${running.fleet.describe().api}/webhooks/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: await readFile(file),
  });
  expect(response.ok).toBe(true);
  await response.text();
  const { exitCode, output, messages } = await runPresage(
    ['enqueue', queue, '--file', file, '--wait', String(busyMachineMs)],
    running.fleet.environment,
  );
  expect({ exitCode, messages }).toEqual({ exitCode: 0, messages: '' });
  const printed = insightSchema.parse(JSON.parse(output));
  expect(printed).toMatchObject({ entity_id: 'stu_4532', risk_score: 70, degraded: false });
  expect(await insightsOf('stu_4532')).toEqual([printed]);
  expect(llm.requests).toHaveLength(1);
});

test('kill -9 after the model answered and before the item is stored: done by another, without a second call', async () => {
  const before = llm.requests.length;
  gate.close();
  const jobId = await send({ ...sampleAlerts.calls, entity_id: 'stu_killed' });
  await until(() => gate.waiting() === 1);
  const [pid = 0] = running.fleet.describe().pids[queue] ?? [];
  process.kill(pid, 'SIGKILL');
  await until(() => running.fleet.describe().pids[queue]?.some((other) => other !== pid) ?? false);
  gate.open();
  expect(await running.settled([jobId])).toEqual(['completed']);
  expect(running.fleet.describe().pids[queue]).not.toContain(pid);
  expect(llm.requests).toHaveLength(before + 1);
  const stored = await insightsOf('stu_killed');
  expect(stored).toMatchObject([{ job_id: jobId, degraded: false }]);
  expect((await running.clients.ledger.read(jobId))?.result).toEqual(stored[0]);
});

test('500 alerts at 50 in parallel, a tenth of them twice, models failing: one item each, and the bill is right', async () => {
  isShaky = true;
  // Else failures, which come at once, would arrive several running before any success: then a circuit opens.
  llm.setLatency(0);
  const before = llm.answered();
  const distinct = Array.from({ length: 450 }, (_, index) => ({
    id: `event-${index}`,
    detail: {
      ...sampleAlerts.calls,
      entity_id: 'stu_busy',
      details: { ib_calls_14d: index, health_score: 50 },
    },
  }));
  // Each duplicate comes close behind its original, while that is being accepted.
  const alerts = distinct.flatMap((alert, index) => (index % 9 === 0 ? [alert, alert] : [alert]));
  expect(alerts).toHaveLength(500);
  const ids: string[] = [];
  const queueOfAlerts = alerts.values();
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      for (const alert of queueOfAlerts) ids.push(await send(alert));
    }),
  );
  const jobs = [...new Set(ids)];
  expect(jobs).toHaveLength(450);
  expect(new Set(await running.settled(jobs))).toEqual(new Set(['completed']));

  const stored = await insightsOf('stu_busy');
  expect(stored.map(({ job_id }) => job_id).sort()).toEqual(jobs.sort());

  const spent = await running.clients.database.db
    .selectFrom('llm_calls')
    .select(({ fn }) => [
      'provider',
      fn.countAll().as('calls'),
      fn.sum('input_tokens').as('input'),
      fn.sum('output_tokens').as('output'),
      fn.sum('cost_usd').as('cost'),
    ])
    .where('state', '=', 'answered')
    .where('job_id', 'in', jobs)
    .groupBy('provider')
    .execute();
  const answered = llm.answered();
  for (const [provider, dialect, inputPrice, outputPrice] of [
    ['bedrock', 'converse', 1, 5],
    ['openai', 'chat', 2, 8],
  ] as const) {
    const inputTokens = answered[dialect].usage.inputTokens - before[dialect].usage.inputTokens;
    const outputTokens = answered[dialect].usage.outputTokens - before[dialect].usage.outputTokens;
    const row = spent.find((one) => one.provider === provider);
    expect(Number(row?.calls)).toBe(answered[dialect].calls - before[dialect].calls);
    expect([Number(row?.input), Number(row?.output)]).toEqual([inputTokens, outputTokens]);
    expect(Number(row?.cost)).toBeCloseTo((inputTokens * inputPrice + outputTokens * outputPrice) / 1e6, 9);
  }
  expect(spent).toHaveLength(2);
});

test('an alert of an unknown type: 422 at the API; from the command line a failure that says which are known', async () => {
  const alert = { ...sampleAlerts.calls, alert_type: 'zebra', details: {} };
  await expect(send(alert)).rejects.toThrow('refused with 422');
  const { exitCode, output, messages } = await runPresage(
    ['enqueue', queue, '--json', JSON.stringify(alert), '--wait', String(busyMachineMs)],
    running.fleet.environment,
  );
  expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' });
  expect(messages).toContain('failed: UNKNOWN_ALERT_TYPE: ');
  expect(messages).toContain('known are high_ib_call_frequency, low_health_score, supply_demand_imbalance');
});

test('no log line of any process holds an entity, a prompt or an answer', () => {
  const lines = readLogLines(running.logDirectory);
  expect(lines.filter((line) => line.startsWith(`${queue}-1.log`)).length).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes('"level":"debug"')).length).toBeGreaterThan(0);
  const words = /stu_(4532|killed|busy)|zebra|churn risk|IB Calls|Invented|Ask the student/;
  expect(lines.filter((line) => words.test(line))).toEqual([]);
});
