import { setTimeout as delay } from 'node:timers/promises';
import { v4 as uuid } from 'uuid';
import { z } from 'zod';
import type { Fleet } from '../producers/cli/start-fleet.ts';
import { databaseSettings } from '../shared/config/database-settings.ts';
import { readSettings } from '../shared/config/read-settings.ts';
import { redisSettings } from '../shared/config/redis-settings.ts';
import {
  leadBulkResultSchema,
  leadScoresSchema,
  leadScoring,
  maxLeadsPerBatch,
} from '../shared/contracts/lead-scoring.ts';
import { leadScoreCacheKey } from '../shared/leads/lead-score-cache-key.ts';
import { readLeads } from '../shared/leads/read-leads.ts';
import { writeLeads } from '../shared/leads/write-leads.ts';
import { prepareFeatures } from '../shared/models/prepare-features.ts';
import { connectRedis } from '../shared/queue/connect-redis.ts';
import { openProducer } from '../shared/queue/open-producer.ts';
import { openResultChannel } from '../shared/queue/open-result-channel.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import type { BenchmarkEnvironment, BenchmarkReport, Figure } from './benchmark-report.ts';
import { median } from './median.ts';
import { openBareNetwork } from './open-bare-network.ts';
import { openLeadScoring } from './open-lead-scoring.ts';
import { percentile } from './percentile.ts';
import { readEventLoopDelay, type EventLoopDelay } from './read-event-loop-delay.ts';
import { readTrainingLeads, type TrainingLead } from './read-training-leads.ts';
import { timed } from './timed.ts';
import { untilSettled } from './until-settled.ts';

const rounds = 60;
const warmUpRounds = 5;
const workers = 2;
const leadsInBulk = 200_000;
const leadsPerWrite = 10_000;
const waitMs = 60_000;
const idleMs = 3_000;

const acceptedSchema = z.object({ job_id: z.string() });

/**
 * 2,000 leads through HTTP, the ledger, the queue, MySQL, the model and back, against the bare network with one read of the
 * same rows. And one large job: leads a second, and how late the workers' event loops are meanwhile.
 */
export async function benchLeadScoring(environment: BenchmarkEnvironment): Promise<BenchmarkReport> {
  await using resources = new AsyncDisposableStack();
  const { fleet, champion } = await openLeadScoring(environment, workers, resources);
  const leads = await readTrainingLeads(champion.manifest, leadsInBulk);
  const batch = leads.slice(0, maxLeadsPerBatch);
  const ids = batch.map(({ leadId }) => leadId);
  const client = await openClient(fleet, resources);
  await client.write(batch);
  const network = resources.use(await openBareNetwork(champion));
  const { features } = prepareFeatures(champion.manifest.feature_columns)(batch.map((lead) => lead.features));

  await client.eventLoopDelay();
  await delay(idleMs);
  const idle = await client.eventLoopDelay();
  const times = {
    read: [] as number[],
    bare: [] as number[],
    queue: [] as number[],
    cold: [] as number[],
    warm: [] as number[],
  };
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const readMs = await timed(() => client.read(ids));
    const bareMs = readMs + (await timed(() => network.run(features)));
    await client.forgetScores(ids);
    const queueMs = await timedAnswer(() => client.score(ids), ids);
    await client.forgetScores(ids);
    const coldMs = await timedAnswer(() => client.request(ids), ids);
    const warmMs = await timedAnswer(() => client.request(ids), ids);
    // The first rounds only let the machine warm up.
    if (round < 0) continue;
    times.read.push(readMs);
    times.bare.push(bareMs);
    times.queue.push(queueMs);
    times.cold.push(coldMs);
    times.warm.push(warmMs);
  }

  const oneAtATime = await client.eventLoopDelay();
  await client.write(leads);
  await client.forgetScores(ids);
  await client.eventLoopDelay();
  const bulkSeconds = (await timed(() => client.scoreBulk(leads.map(({ leadId }) => leadId)))) / 1_000;
  const inBulk = await client.eventLoopDelay();

  const bareRate = maxLeadsPerBatch / (median(times.bare) / 1_000);
  return {
    name: 'lead-scoring',
    figures: [
      ...figuresOf(
        'through HTTP, nothing cached',
        times.cold,
        times.bare,
        'below 160 ms where the control takes 60 ms',
      ),
      ...figuresOf('through HTTP, all cached', times.warm, times.bare),
      ...figuresOf('through the queue alone, nothing cached', times.queue, times.bare),
      {
        name: `a job of ${leadsInBulk} leads on ${workers} workers, each`,
        value: leadsInBulk / bulkSeconds / workers,
        unit: 'leads/s',
        control: bareRate,
        ratio: leadsInBulk / bulkSeconds / workers / bareRate,
        aim: 'at least 20000 leads/s',
      },
      ...figuresOfDelay('one batch at a time', oneAtATime, idle),
      ...figuresOfDelay(`the job of ${leadsInBulk} leads`, inBulk, idle),
    ],
    notes: [
      `${maxLeadsPerBatch} leads a batch; ${rounds} rounds, each beside its control: one read of the leads from MySQL (${median(times.read).toFixed(1)} ms, median), one run of the network in one thread`,
      `the large job took ${bulkSeconds.toFixed(1)} s, from the request to its summary, nothing cached`,
      'event loop: how much later than due Node came to a timer of 10 ms; of the worker that was latest; the control is the same with nothing to do',
    ],
  };
}

function figuresOf(
  name: string,
  values: readonly number[],
  controls: readonly number[],
  aim?: string,
): Figure[] {
  return [50, 95].map((percent) => {
    const value = percentile(values, percent);
    const control = percentile(controls, percent);
    const figure = { name: `one batch, ${name}: p${percent}`, value, unit: 'ms', control };
    return { ...figure, ratio: value / control, ...(aim !== undefined && percent === 50 ? { aim } : {}) };
  });
}

function figuresOfDelay(load: string, busy: EventLoopDelay, idle: EventLoopDelay): Figure[] {
  const name = `a worker's event loop is late, ${load}`;
  return [
    { name: `${name}: p50`, value: busy.p50, unit: 'ms', control: idle.p50 },
    { name: `${name}: p99`, value: busy.p99, unit: 'ms', control: idle.p99 },
  ];
}

/** What the benchmark asks of the fleet. */
interface Client {
  /** Has leads scored through the API, and waits for the answer. */
  request(leadIds: readonly string[]): Promise<unknown>;
  /** Has leads scored without the API, and waits for the result. */
  score(leadIds: readonly string[]): Promise<unknown>;
  /** Makes leads known. */
  write(leads: readonly TrainingLead[]): Promise<void>;
  /** Reads leads and does nothing with them. */
  read(leadIds: readonly string[]): Promise<void>;
  /** Has any number of leads scored through the API, and waits until all are. */
  scoreBulk(leadIds: readonly string[]): Promise<void>;
  /** Takes leads' scores out of the cache. */
  forgetScores(leadIds: readonly string[]): Promise<void>;
  /** Of the workers, since the last call. */
  eventLoopDelay(): Promise<EventLoopDelay>;
}

async function openClient(fleet: Fleet, resources: AsyncDisposableStack): Promise<Client> {
  const log = createLogger({ process: 'bench', level: 'error' });
  const settings = readSettings({ redis: redisSettings, database: databaseSettings }, fleet.environment);
  const processId = uuid();
  const { enqueue, ledger, redis, database, keys } = await openProducer(
    { ...settings, contracts: [leadScoring], processId, log },
    resources,
  );
  const subscriber = resources.use(connectRedis(settings.redis, 'subscriber', log));
  const name = keys.resultChannel(processId);
  const results = resources.use(openResultChannel({ subscriber: subscriber.client, name, ledger, log }));
  const healthUrls = fleet.describe().health[leadScoring.name] ?? [];
  async function post(path: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${fleet.describe().api}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the API answered ${response.status}`);
    return await response.json();
  }

  return {
    request: (leadIds) => post('/ai/advanced-ml/predict-batch', leadIds),
    async score(leadIds) {
      const { id } = await enqueue.enqueue(
        leadScoring,
        { lead_ids: [...leadIds] },
        { replyTo: results.name },
      );
      const settled = await results.wait(id, waitMs);
      if (settled?.state !== 'completed') throw new Error('a batch was not scored');
      return settled.result;
    },
    async write(leads) {
      for (let first = 0; first < leads.length; first += leadsPerWrite) {
        const rows = leads.slice(first, first + leadsPerWrite).map(({ leadId, features }) => ({
          lead_id: leadId,
          features: JSON.stringify(features),
          updated_at: new Date(),
        }));
        await writeLeads(database.db, rows);
      }
    },
    async read(leadIds) {
      const found = await readLeads(database.db, leadIds);
      if (found.size !== leadIds.length) throw new Error('not every lead was found');
    },
    async scoreBulk(leadIds) {
      const { job_id: id } = acceptedSchema.parse(await post('/v1/lead-scores', leadIds));
      await untilSettled(ledger, [id], 1);
      const { scored } = leadBulkResultSchema.parse((await ledger.read(id))?.result);
      if (scored !== leadIds.length) throw new Error('not every lead was scored');
    },
    async forgetScores(leadIds) {
      await redis.client.del(...leadIds.map(leadScoreCacheKey));
    },
    eventLoopDelay: () => readEventLoopDelay(healthUrls),
  };
}

/** How long it takes until the answer is there, in milliseconds; whether that has every lead is looked at afterwards. */
async function timedAnswer(ask: () => Promise<unknown>, leadIds: readonly string[]): Promise<number> {
  let answer: unknown;
  const durationMs = await timed(async () => {
    answer = await ask();
  });
  const { predictions } = leadScoresSchema.parse(answer);
  if (predictions.length !== leadIds.length) throw new Error('not every lead was scored');
  return durationMs;
}
