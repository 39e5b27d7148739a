import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { modelServing } from '../shared/contracts/model-serving.ts';
import type { BenchmarkEnvironment, BenchmarkReport, Figure } from './benchmark-report.ts';
import { median } from './median.ts';
import { percentile } from './percentile.ts';
import { startBenchmarkFleet } from './start-benchmark-fleet.ts';

const concurrencies = [1, 8, 64];
const rounds = 5;
const requestsOfRound = 1_000;
const warmUpRequests = 500;
const modelId = 'macro-effects';

const infoSchema = z.object({
  feature_columns: z.array(z.object({ name: z.string(), mean: z.number() })),
});

/**
 * One row a request, at several concurrencies, against the model that comes with Presage: with batching, without, and
 * against the same server that answers the same body without a model.
 */
export async function benchModelServing(environment: BenchmarkEnvironment): Promise<BenchmarkReport> {
  const batched = await measure(environment, {});
  const single = await measure(environment, { SERVING_BATCH_ROWS: '1', SERVING_BATCH_WAIT_MS: '0' });
  const figures: Figure[] = concurrencies.flatMap((concurrency, place) => [
    ...figuresOf(`${concurrency} at once, batched`, batched[place]),
    ...figuresOf(`${concurrency} at once, one by one`, single[place]),
  ]);
  return {
    name: 'model-serving',
    figures,
    notes: [
      `the median of ${rounds} rounds with ${requestsOfRound} requests each, one row of ${modelId} a request, over connections that are kept open`,
      'control: the same requests to the same server, which answers the same body without checking features or asking a model, measured beside it',
    ],
  };
}

interface Round {
  perSecond: number;
  p99Ms: number;
}

interface Measured {
  predict: Round;
  control: Round;
}

function figuresOf(name: string, measured: Measured | undefined): Figure[] {
  if (!measured) return [];
  const { predict, control } = measured;
  return [
    {
      name: `${name}: requests`,
      value: predict.perSecond,
      unit: '/s',
      control: control.perSecond,
      ratio: predict.perSecond / control.perSecond,
    },
    {
      name: `${name}: p99`,
      value: predict.p99Ms,
      unit: 'ms',
      control: control.p99Ms,
      ratio: predict.p99Ms / control.p99Ms,
    },
  ];
}

/** At each concurrency, on a fleet of its own with these variables. */
async function measure(
  { processEnvironment }: BenchmarkEnvironment,
  variables: Readonly<Record<string, string>>,
): Promise<Measured[]> {
  await using resources = new AsyncDisposableStack();
  const environment = { ...processEnvironment, ...variables };
  const fleet = await startBenchmarkFleet({ environment, worker: modelServing.name }, resources);
  const url = fleet.describe().model_serving;
  const info: unknown = await (await fetch(`${url}/models/${modelId}/info`)).json();
  const { feature_columns: columns } = infoSchema.parse(info);
  const body = JSON.stringify(Object.fromEntries(columns.map(({ name, mean }) => [name, mean])));

  const predict = { url: `${url}/predict/${modelId}`, body };
  const answered = await post(predict, new Agent());
  const control = { url: `${await startControl(answered, resources)}/predict/${modelId}`, body };

  const measured: Measured[] = [];
  for (const concurrency of concurrencies) {
    for (const target of [control, predict]) await run(target, concurrency, warmUpRequests);
    const found: Measured[] = [];
    for (let round = 0; round < rounds; round += 1) {
      found.push({
        control: await run(control, concurrency, requestsOfRound),
        predict: await run(predict, concurrency, requestsOfRound),
      });
    }
    measured.push({
      control: medianOf(found.map((each) => each.control)),
      predict: medianOf(found.map((each) => each.predict)),
    });
  }
  return measured;
}

function medianOf(found: readonly Round[]): Round {
  return {
    perSecond: median(found.map(({ perSecond }) => perSecond)),
    p99Ms: median(found.map(({ p99Ms }) => p99Ms)),
  };
}

/** The same server in a process of its own, which goes with `resources`; answers its address. */
async function startControl(answer: string, resources: AsyncDisposableStack): Promise<string> {
  const child = fork(join(import.meta.dirname, 'serve-without-model.ts'), [answer]);
  resources.defer(async () => {
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  });
  const messages: unknown = await once(child, 'message');
  const [{ url }] = z
    .tuple([z.object({ url: z.string() })])
    .rest(z.unknown())
    .parse(messages);
  return url;
}

interface Target {
  url: string;
  body: string;
}

async function run(target: Target, concurrency: number, requests: number): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const times: number[] = [];
  let left = requests;
  const startedAt = performance.now();
  async function ask(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const askedAt = performance.now();
      await post(target, agent);
      times.push(performance.now() - askedAt);
    }
  }
  await Promise.all(Array.from({ length: concurrency }, ask));
  const seconds = (performance.now() - startedAt) / 1_000;
  agent.destroy();
  return { perSecond: requests / seconds, p99Ms: percentile(times, 99) };
}

/** Answers the body that came back. */
async function post({ url, body }: Target, agent: Agent): Promise<string> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const asked = request(url, { method: 'POST', agent, headers });
  const answered = Promise.withResolvers<IncomingMessage>();
  asked.once('response', answered.resolve).once('error', answered.reject).end(body);
  const response = await answered.promise;
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`the server answered ${response.statusCode}: ${answer}`);
  return answer;
}
