import { setTimeout as delay } from 'node:timers/promises';
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { v4 as uuid } from 'uuid';
import { z } from 'zod';
import { openDatabase } from '../shared/database/open-database.ts';
import { connectRedis } from '../shared/queue/connect-redis.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import { createMetrics } from '../shared/telemetry/create-metrics.ts';
import { openBedrock } from '../shared/text-generation/bedrock.ts';
import { openTextGeneration } from '../shared/text-generation/open-text-generation.ts';
import { portableSchema } from '../shared/text-generation/portable-schema.ts';
import type { BenchmarkEnvironment, BenchmarkReport, Figure } from './benchmark-report.ts';
import { median } from './median.ts';
import { startEmulator } from './start-emulator.ts';
import { timed } from './timed.ts';

const model = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const latencyMs = 200;
const callsAlone = 100;
const manyAtOnce = 64;
const callsEachOfMany = 5;
const roundsOfMany = 8;

const schema = z.object({
  risk_score: z.number().min(0).max(100),
  explanation: z.string(),
  recommendations: z.array(z.string()).min(2).max(3),
});
const system = 'You explain risks. Answer with one JSON object.';
const user = 'Explain the risk of student 7: 9 calls in 14 days, health score 31. '.repeat(10);

type Call = () => Promise<void>;

/** What the room adds to a call: journal, circuit, limits and checks, against the bare SDK before the same server. */
export async function benchLlm(environment: BenchmarkEnvironment): Promise<BenchmarkReport> {
  await using resources = new AsyncDisposableStack();
  const { bare, room } = await openCalls(environment, resources);
  const warmUp = { bare: [] as number[], room: [] as number[] };
  await runMany(bare, warmUp.bare);
  await runMany(room, warmUp.room);

  const alone = { bare: [] as number[], room: [] as number[] };
  for (let call = 0; call < callsAlone; call += 1) {
    alone.bare.push(await timed(bare));
    alone.room.push(await timed(room));
  }
  const many = { bare: [] as number[], room: [] as number[] };
  for (let round = 0; round < roundsOfMany; round += 1) {
    await runMany(bare, many.bare);
    await runMany(room, many.room);
  }
  return {
    name: 'llm',
    figures: [...figuresOf('one at a time', alone), ...figuresOf(`${manyAtOnce} at once`, many)],
    notes: [
      `the control is the bare SDK; both ask a local server in a process of its own that answers after ${latencyMs} ms`,
      `one at a time: ${callsAlone} calls each, in turns; ${manyAtOnce} at once: ${many.room.length} calls each, in turns of ${manyAtOnce * callsEachOfMany}`,
      'the room writes two rows to the journal for each call, committed to disk before the call and before its answer',
    ],
  };
}

async function openCalls(
  { database: databaseSettings, redis: redisSettings, processEnvironment }: BenchmarkEnvironment,
  resources: AsyncDisposableStack,
): Promise<{ bare: Call; room: Call }> {
  const log = createLogger({ process: 'bench', level: 'error' });
  const endpointUrl = await startEmulator('run-llm-server.ts', latencyMs, processEnvironment, resources);
  const metrics = resources.use(createMetrics());
  const database = resources.use(openDatabase(databaseSettings));
  const redis = resources.use(connectRedis(redisSettings, 'cache', log));
  const generator = resources.use(
    openBedrock({ region: 'us-east-1', endpointUrl, model, mayAskInstanceMetadata: false }),
  );
  const generation = resources.use(
    openTextGeneration({
      queue: 'churn-insight',
      generators: [generator],
      limits: {},
      db: database.db,
      redis: redis.client,
      metrics,
      log,
      processId: uuid(),
    }),
  );
  const agent = { keepAlive: true, maxSockets: 256 };
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: endpointUrl,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent }),
  });
  resources.defer(() => client.destroy());
  const jsonSchema = { name: 'insight', schema: JSON.stringify(portableSchema(z.toJSONSchema(schema))) };
  const { signal } = new AbortController();

  return {
    async bare() {
      const { output } = await client.send(
        new ConverseCommand({
          modelId: model,
          system: [{ text: system }],
          messages: [{ role: 'user', content: [{ text: user }] }],
          inferenceConfig: { maxTokens: 1_000, temperature: 0.7 },
          outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema } } },
        }),
        { abortSignal: signal },
      );
      schema.parse(JSON.parse(output?.message?.content?.[0]?.text ?? ''));
    },
    async room() {
      await generation.generate(
        {
          step: 'insight',
          system,
          user,
          answer: { name: 'insight', schema },
          maxOutputTokens: 1_000,
          temperature: 0.7,
          timeoutMs: 30_000,
        },
        {
          jobId: uuid(),
          mayHaveRunBefore: false,
          signal,
          trace: (_name, work) => work({ set: () => undefined }),
          log,
        },
      );
    },
  };
}

/** So many callers at once, one call after the other each, begun spread over the time of a call. */
async function runMany(call: Call, timesMs: number[]): Promise<void> {
  await Promise.all(
    Array.from({ length: manyAtOnce }, async (_, caller) => {
      await delay((caller * latencyMs) / manyAtOnce);
      for (let count = 0; count < callsEachOfMany; count += 1) timesMs.push(await timed(call));
    }),
  );
}

function figuresOf(how: string, times: { bare: number[]; room: number[] }): Figure[] {
  const bareMs = median(times.bare);
  const roomMs = median(times.room);
  const [bare99Ms, room99Ms] = [percentile99(times.bare), percentile99(times.room)];
  return [
    { name: `${how}: added at the median`, value: roomMs - bareMs, unit: 'ms', aim: 'below 1 ms' },
    { name: `${how}: a call, median`, value: roomMs, unit: 'ms', control: bareMs, ratio: roomMs / bareMs },
    {
      name: `${how}: a call, p99`,
      value: room99Ms,
      unit: 'ms',
      control: bare99Ms,
      ratio: room99Ms / bare99Ms,
    },
  ];
}

function percentile99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}
