import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { churnInsight, insightSchema, type Insight } from '../../../shared/contracts/churn-insight.ts';
import type { LlmServer } from '../../../shared/emulators/llm-server.ts';
import type { CliContext } from '../cli-context.ts';
import type { Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';
import { askApi } from './ask-api.ts';
import { runCommand } from './run-command.ts';

const sampleFolder = join(import.meta.dirname, 'sample-alerts');
const waitMs = 30_000;
const lookEveryMs = 100;

type Say = (line?: string) => void;

/** Steps 4 and 5: one alert of each type, each through another door, and the insights as they are stored. */
export async function showInsights(
  fleet: Fleet,
  models: LlmServer,
  say: Say,
  { messages }: CliContext,
): Promise<void> {
  say();
  say('4. One alert of each type, each through another door');
  say('   POST /webhooks/alerts              frequent-calls.json (an EventBridge event)');
  say('   POST /v1/alerts                    low-health.json     (its bare detail)');
  say('   presage enqueue churn-insight      imbalance.json');
  const bar = messages.isTTY
    ? new SingleBar({ format: '   {bar} {value}/{total} insights', stream: messages }, Presets.shades_classic)
    : undefined;
  const made: Insight[] = [];
  bar?.start(3, 0);
  for (const send of [throughWebhook, throughApi, throughCommandLine]) {
    made.push(await send(fleet));
    bar?.update(made.length);
  }
  bar?.stop();

  say();
  say('5. GET /v1/insights/:entity_id: what the worker wrote to DynamoDB');
  for (const { entity_id } of made) {
    for (const insight of await storedInsights(fleet, entity_id)) showInsight(insight, say);
  }

  say();
  say(`Bedrock's emulator was called ${models.answered().converse.calls} times: once for each alert.`);
}

const acceptedSchema = z.object({ job_id: z.string() });
const jobSchema = z.object({ state: z.string(), result: z.unknown() });
const pageSchema = z.object({ insights: z.array(insightSchema) });

async function throughWebhook(fleet: Fleet): Promise<Insight> {
  const { job_id } = acceptedSchema.parse(await post(fleet, '/webhooks/alerts', 'frequent-calls.json'));
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    const { state, result } = jobSchema.parse(await askApi(fleet, `/v1/jobs/${job_id}`));
    if (state === 'completed') return insightSchema.parse(result);
    if (state === 'failed' || state === 'cancelled') throw new CommandFailed(`The job ${job_id} ${state}.`);
    await delay(lookEveryMs);
  }
  throw new CommandFailed(`The job ${job_id} is not done after ${waitMs} ms.`);
}

async function throughApi(fleet: Fleet): Promise<Insight> {
  return insightSchema.parse(await post(fleet, `/v1/alerts?wait_ms=${waitMs}`, 'low-health.json'));
}

async function throughCommandLine(fleet: Fleet): Promise<Insight> {
  const file = join(sampleFolder, 'imbalance.json');
  const command = ['enqueue', churnInsight.name, '--file', file, `--wait=${waitMs}`];
  return insightSchema.parse(JSON.parse(await runCommand(fleet, command)));
}

async function storedInsights(fleet: Fleet, entityId: string): Promise<Insight[]> {
  return pageSchema.parse(await askApi(fleet, `/v1/insights/${encodeURIComponent(entityId)}`)).insights;
}

async function post(fleet: Fleet, path: string, sample: string): Promise<unknown> {
  const body = await readFile(join(sampleFolder, sample), 'utf8');
  const headers = { 'content-type': 'application/json' };
  return await askApi(fleet, path, { method: 'POST', headers, body });
}

function showInsight(insight: Insight, say: Say): void {
  const { entity_id, prediction_type, risk_score, explanation, recommendations, model_used } = insight;
  say(`   ${entity_id.padEnd(10)} risk ${String(risk_score).padEnd(4)} ${prediction_type}`);
  say(`     ${explanation}`);
  for (const recommendation of recommendations) say(`     - ${recommendation}`);
  say(`     ${model_used}`);
}
