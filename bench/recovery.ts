import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v4 as uuid } from 'uuid';
import { databaseSettings } from '../shared/config/database-settings.ts';
import { readSettings } from '../shared/config/read-settings.ts';
import { redisSettings } from '../shared/config/redis-settings.ts';
import { callTimePrediction } from '../shared/contracts/call-time-prediction.ts';
import { openGuard } from '../shared/embedded/open-guard.ts';
import { openSagemakerServer } from '../shared/emulators/sagemaker-server.ts';
import { openProducer, type Producer } from '../shared/queue/open-producer.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import { migrateStores } from '../producers/cli/migrate-stores.ts';
import { startFleet, type Fleet } from '../producers/cli/start-fleet.ts';
import type { BenchmarkEnvironment, BenchmarkReport } from './benchmark-report.ts';
import { untilSettled } from './until-settled.ts';

const jobs = 300;
const contactsPerJob = 3;
/** Long enough that the disaster strikes in the midst of the work. */
const endpointLatencyMs = 60;

type Disaster = (fleet: Fleet, producer: Producer) => Promise<void>;

const disasters: Readonly<Record<string, Disaster>> = {
  nothing: () => Promise.resolve(),
  'kill -9 of the worker': (fleet) => kill(fleet, callTimePrediction.name),
  'kill -9 of Redis': (fleet) => kill(fleet, 'redis'),
  FLUSHALL: async (_fleet, { redis }) => void (await redis.client.flushall()),
};

/**
 * Seconds from a disaster, struck while jobs are in hand and waiting, until every accepted job is completed.
 * The control is the same load without a disaster, from the same point on.
 */
export async function benchRecovery({ processEnvironment }: BenchmarkEnvironment): Promise<BenchmarkReport> {
  const log = createLogger({ process: 'bench', level: 'error' });
  await using guard = await openGuard();
  await using endpoint = await openSagemakerServer({ latencyMs: endpointLatencyMs });
  const directory = await mkdtemp(join(tmpdir(), 'presage-bench-'));
  guard.removeAtEnd(directory);
  await using fleet = await startFleet({
    ephemeral: true,
    port: 0,
    environment: {
      ...processEnvironment,
      SAGEMAKER_ENDPOINT_NAME: 'bench',
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: endpoint.url,
    },
    workingDirectory: directory,
    migrate: async (environment) => void (await migrateStores(environment)),
    guard,
    logger: log,
    logDirectory: directory,
  });
  await using resources = new AsyncDisposableStack();
  const settings = readSettings({ redis: redisSettings, database: databaseSettings }, fleet.environment);
  const producer = await openProducer(
    { ...settings, contracts: [callTimePrediction], processId: uuid(), log },
    resources,
  );

  const seconds = new Map<string, number>();
  const called: string[] = [];
  for (const [name, strike] of Object.entries(disasters)) {
    const callsBefore = endpoint.requests.length;
    seconds.set(name, await measure(strike, fleet, producer));
    called.push(`${name}: ${endpoint.requests.length - callsBefore}`);
  }
  const control = seconds.get('nothing') ?? Number.NaN;
  return {
    name: 'recovery',
    figures: [...seconds]
      .filter(([name]) => name !== 'nothing')
      .map(([name, value]) => ({
        name: `${name} until all jobs are completed`,
        value,
        unit: 's',
        control,
        ratio: value / control,
        ...(name.includes('worker') ? { aim: 'within 20 s' } : {}),
      })),
    notes: [
      `${jobs} jobs of ${contactsPerJob} contacts each, struck when a third is done; the endpoint answers after ${endpointLatencyMs} ms`,
      `endpoint calls, for ${jobs * contactsPerJob} numbers each time: ${called.join('; ')}`,
    ],
  };
}

async function measure(strike: Disaster, fleet: Fleet, producer: Producer): Promise<number> {
  const accepted = await Promise.all(
    Array.from({ length: jobs }, () =>
      producer.enqueue.enqueue(callTimePrediction, {
        contacts: Array.from({ length: contactsPerJob }, (_, position) => ({
          id: `contact-${position}`,
          phoneNumber: randomPhoneNumber(),
        })),
      }),
    ),
  );
  const ids = accepted.map((job) => job.id);
  await untilSettled(producer.ledger, ids, jobs / 3);
  const startedAt = performance.now();
  await strike(fleet, producer);
  await untilSettled(producer.ledger, ids, jobs);
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  const completed = await producer.ledger.list({ ids, states: ['completed'], limit: jobs });
  if (completed.length !== jobs) throw new Error(`${jobs - completed.length} jobs did not complete`);
  return elapsedSeconds;
}

async function kill(fleet: Fleet, name: string): Promise<void> {
  for (const pid of fleet.describe().pids[name] ?? []) process.kill(pid, 'SIGKILL');
  await Promise.resolve();
}

/** A number that no earlier round asked for, so that nothing is cached. */
function randomPhoneNumber(): string {
  return `+97250${String(Math.floor(Math.random() * 10_000_000)).padStart(7, '0')}`;
}
