import pMap from 'p-map';
import { v4 as uuid } from 'uuid';
import type { Contact } from '../shared/contracts/call-time-prediction.ts';
import { openDatabase } from '../shared/database/open-database.ts';
import { connectRedis, type RedisClient } from '../shared/queue/connect-redis.ts';
import type { JobContext } from '../shared/queue/job-context.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import { createMetrics } from '../shared/telemetry/create-metrics.ts';
import { createCallTimeModel } from '../workers/call-time-prediction/call-time-model.ts';
import { handleCallTimePrediction } from '../workers/call-time-prediction/handle-call-time-prediction.ts';
import { loadPhoneTimezones } from '../workers/call-time-prediction/phone-timezone.ts';
import { createPredictionCache } from '../workers/call-time-prediction/prediction-cache.ts';
import { createPredictionRows } from '../workers/call-time-prediction/prediction-rows.ts';
import { createTimezoneResolver } from '../workers/call-time-prediction/resolve-timezone.ts';
import { openSagemakerEndpoint } from '../shared/sagemaker/sagemaker-endpoint.ts';
import type { BenchmarkEnvironment, BenchmarkReport } from './benchmark-report.ts';
import { median } from './median.ts';
import { startEmulator } from './start-emulator.ts';
import { timed } from './timed.ts';

const contactsPerJob = 2_000;
const warmRounds = 15;
const coldRounds = 5;
const parallelism = 32;
const endpointLatencyMs = 20;
const idealColdMs = (contactsPerJob * endpointLatencyMs) / parallelism;

/**
 * One job of 2,000 contacts. Warm, all of them cached: the cache step against a bare pipelined read of the same
 * keys, and the whole handler. Cold, none of them cached: against what the endpoint's latency allows at best.
 */
export async function benchCallTime(environment: BenchmarkEnvironment): Promise<BenchmarkReport> {
  await using resources = new AsyncDisposableStack();
  const bench = await openCallTime(environment, resources);
  const makeContacts = createContactMaker();

  await bench.findCredentials();
  // Unmeasured, so that the code is compiled.
  for (let round = 0; round < 2; round += 1) await bench.run(makeContacts(), 'sagemaker');
  const cold = { endpoint: [] as number[], whole: [] as number[] };
  for (let round = 0; round < coldRounds; round += 1) {
    cold.endpoint.push(await timed(() => bench.askEndpointOnly(makeContacts())));
    cold.whole.push(await timed(() => bench.run(makeContacts(), 'sagemaker')));
  }

  const contacts = makeContacts();
  await bench.run(contacts, 'sagemaker');
  const warm = { bare: [] as number[], step: [] as number[], whole: [] as number[] };
  for (let round = -3; round < warmRounds; round += 1) {
    const bareMs = await timed(() => bench.readBare(contacts));
    const stepMs = await timed(() => bench.readCache(contacts));
    const wholeMs = await timed(() => bench.run(contacts, 'cache'));
    // The first rounds only let the machine warm up.
    if (round < 0) continue;
    warm.bare.push(bareMs);
    warm.step.push(stepMs);
    warm.whole.push(wholeMs);
  }

  const bareMs = median(warm.bare);
  const warmRatio = (values: number[]) =>
    median(values.map((value, round) => value / (warm.bare[round] ?? bareMs)));
  return {
    name: 'call-time',
    figures: [
      {
        name: 'warm: the cache step',
        value: median(warm.step),
        unit: 'ms',
        control: bareMs,
        ratio: warmRatio(warm.step),
        aim: 'at most 3',
      },
      {
        name: 'warm: the whole job',
        value: median(warm.whole),
        unit: 'ms',
        control: bareMs,
        ratio: warmRatio(warm.whole),
      },
      {
        name: 'cold: the endpoint calls alone',
        value: median(cold.endpoint),
        unit: 'ms',
        control: idealColdMs,
        ratio: median(cold.endpoint) / idealColdMs,
      },
      {
        name: 'cold: the whole job',
        value: median(cold.whole),
        unit: 'ms',
        control: idealColdMs,
        ratio: median(cold.whole) / idealColdMs,
        aim: 'at most 1.3',
      },
    ],
    notes: [
      `${contactsPerJob} contacts a job; warm: median of ${warmRounds} rounds, each beside its control, a bare pipelined read`,
      `cold: median of ${coldRounds} rounds; the control is computed: ${contactsPerJob} calls of ${endpointLatencyMs} ms, ${parallelism} at once`,
      'the endpoint is a local server in a process of its own; "calls alone" is the SDK before it, without cache and rows',
    ],
  };
}

async function openCallTime(
  { redis, database: databaseSettings, processEnvironment }: BenchmarkEnvironment,
  resources: AsyncDisposableStack,
) {
  const log = createLogger({ process: 'bench', level: 'error' });
  const metrics = resources.use(createMetrics());
  const bareRedis = await ready(resources.use(connectRedis(redis, 'worker', log)).client);
  const cacheRedis = await ready(resources.use(connectRedis(redis, 'cache', log)).client);
  const database = resources.use(openDatabase(databaseSettings));
  const endpointUrl = await startEmulator(
    'run-sagemaker-server.ts',
    endpointLatencyMs,
    processEnvironment,
    resources,
  );
  const endpoint = resources.use(
    openSagemakerEndpoint({ region: 'us-east-1', endpointName: 'bench', endpointUrl, parallelism }),
  );
  const cache = createPredictionCache({
    redis: cacheRedis,
    ttlSeconds: 600,
    endpointConfigured: true,
    metrics,
  });
  const dependencies = {
    resolveTimezone: createTimezoneResolver(await loadPhoneTimezones()),
    cache,
    model: createCallTimeModel({ endpoint, parallelism, metrics, log }),
    rows: resources.use(createPredictionRows(database.db)),
    now: () => Date.now(),
  };
  const { signal } = new AbortController();

  async function run(contacts: Contact[], expectedSource: string): Promise<void> {
    const context: JobContext = {
      jobId: uuid(),
      attempt: 1,
      isLastAttempt: false,
      waitedMs: 0,
      mayHaveRunBefore: false,
      signal,
      log,
      progress: () => {},
      trace: (_name, work) => work({ set: () => undefined }),
    };
    const { predictions } = await handleCallTimePrediction({ contacts }, context, dependencies);
    const unexpected = predictions.find(({ source }) => source !== expectedSource);
    if (unexpected)
      throw new Error(`a prediction came from ${unexpected.source}, not from ${expectedSource}`);
  }

  return {
    run,
    /** Finds the credentials, which may take longer than a call may. */
    async findCredentials(): Promise<void> {
      const question = { phoneNumber: '+12125550100', timezone: 'UTC', metadata: {} };
      for (let tries = 1; ; tries += 1) {
        try {
          await endpoint.ask(question, signal);
          return;
        } catch (error) {
          if (tries === 5) throw error;
        }
      }
    },
    async askEndpointOnly(contacts: Contact[]): Promise<void> {
      const questions = contacts.map(({ phoneNumber }) => ({ phoneNumber, timezone: 'UTC', metadata: {} }));
      await pMap(questions, (question) => endpoint.ask(question, signal), { concurrency: parallelism });
    },
    async readCache(contacts: Contact[]): Promise<void> {
      const known = await cache.read(contacts.map(({ phoneNumber }) => phoneNumber));
      if (known.size !== contacts.length) throw new Error('not every contact is cached');
    },
    async readBare(contacts: Contact[]): Promise<void> {
      const pipeline = bareRedis.pipeline();
      for (const { phoneNumber } of contacts) pipeline.get(`ml:prediction:${phoneNumber}`);
      const replies = await pipeline.exec();
      if (replies?.length !== contacts.length) throw new Error('not every contact is cached');
    },
  };
}

async function ready(client: RedisClient): Promise<RedisClient> {
  if (client.status !== 'ready') {
    await new Promise<void>((resolve) => void client.once('ready', () => resolve()));
  }
  return client;
}

/** Makes contacts in several countries; no number is made twice. */
function createContactMaker(): () => Contact[] {
  const prefixes = ['+97250', '+1415', '+4477', '+4915', '+8190', '+6141', '+5511', '+2782'];
  let next = 1_000_000;
  return () =>
    Array.from({ length: contactsPerJob }, (_, index) => ({
      id: `contact-${index}`,
      phoneNumber: `${prefixes[index % prefixes.length]}${next++}`,
      metadata: { age: 20 + (index % 60) },
    }));
}
