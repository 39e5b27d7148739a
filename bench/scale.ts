import { setTimeout as delay } from 'node:timers/promises';
import { bulkPriority } from '../shared/queue/enqueue.ts';
import type { BenchmarkEnvironment, BenchmarkReport, Figure } from './benchmark-report.ts';
import { jainIndex } from './jain-index.ts';
import { median } from './median.ts';
import { openScaleRoom, type ScaleRoom } from './open-scale-room.ts';
import { percentile } from './percentile.ts';
import { openStoreLoad, type StoreLoad } from './store-load.ts';

export interface ScaleSize {
  /** How many worker processes. */
  processes: readonly number[];
  rounds: number;
  /** No-op jobs of a round. */
  noOps: number;
  /** Waiting jobs of a round, for each process. */
  waits: number;
  /** Jobs of the large load beside which somebody else's are measured. */
  bulk: number;
  /** Jobs of somebody else. */
  few: number;
}

const fullSize: ScaleSize = {
  processes: [1, 2, 4],
  rounds: 3,
  noOps: 10_000,
  waits: 1_000,
  bulk: 3_000,
  few: 200,
};

/** `workMs`: how long a job waits for something outside, as most of the fleet's do; 0: it does nothing at all. */
interface Workload {
  queue: string;
  workMs: number;
  concurrency: number;
}

const noOp: Workload = { queue: 'no-op', workMs: 0, concurrency: 50 };
const waiting: Workload = { queue: 'waiting', workMs: 20, concurrency: 10 };
const neighbour = 'waiting-too';
const processesBesideBulk = 2;
const sendEveryMs = 10;

/**
 * Jobs that lie ready, done by one, two and four worker processes with the ledger, against as many bare BullMQ workers; how
 * evenly the work spreads; and what others feel while a large load is done.
 */
export async function benchScale(
  environment: BenchmarkEnvironment,
  size: ScaleSize = fullSize,
): Promise<BenchmarkReport> {
  return {
    name: 'scale',
    figures: [
      ...(await benchWorkload(environment, noOp, () => size.noOps, size)),
      ...(await benchWorkload(environment, waiting, (processes) => size.waits * processes, size)),
      ...(await benchBesideBulk(environment, size)),
    ],
    notes: [
      `control of a throughput: as many processes with a bare BullMQ worker each; all jobs lie ready when the clock starts; median of ${size.rounds} rounds`,
      `no-op: concurrency ${noOp.concurrency} a process; bound by the processors, which the processes share with Redis and MySQL`,
      `waiting: ${waiting.workMs} ms a job, concurrency ${waiting.concurrency} a process; bound by the places, as are jobs that ask a vendor: more processes are more jobs`,
      "Jain's index: 1 when every process did as many jobs, 1/n when one of n did all of them; control: the bare workers'",
      `lanes: from the accept of an interactive job until one of ${processesBesideBulk} processes has it, while ${size.bulk} bulk jobs of the same queue are done; control: with nothing else to do`,
      `neighbours: ${size.few} jobs of one queue beside ${size.bulk} of another in the same ${processesBesideBulk} processes; control: without the other`,
    ],
  };
}

/** What one room did with one load. */
interface Run {
  jobsPerSecond: number;
  /** Of each process. */
  jobs: number[];
}

interface Round {
  bare: Run;
  fleet: Run;
  stores: StoreLoad;
}

async function benchWorkload(
  environment: BenchmarkEnvironment,
  workload: Workload,
  jobsFor: (processes: number) => number,
  { processes: counts, rounds: howMany }: ScaleSize,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const rates: number[] = [];
  let rounds: Round[] = [];
  for (const processes of counts) {
    rounds = await runRounds(environment, { ...workload, processes, jobs: jobsFor(processes) }, howMany);
    const rate = median(rounds.map(({ fleet }) => fleet.jobsPerSecond));
    rates.push(rate);
    figures.push({
      name: `${workload.queue}, ${named(processes)}`,
      value: rate,
      unit: 'jobs/s',
      control: median(rounds.map(({ bare }) => bare.jobsPerSecond)),
      ratio: median(rounds.map(({ fleet, bare }) => fleet.jobsPerSecond / bare.jobsPerSecond)),
    });
  }
  const [first = Number.NaN] = counts;
  const most = counts.at(-1) ?? Number.NaN;
  const speedUp = (rates.at(-1) ?? Number.NaN) / (rates[0] ?? Number.NaN);
  const where = `${workload.queue}, ${named(most)}`;
  return [
    ...figures,
    {
      name: `${where} against ${first}`,
      value: speedUp,
      unit: 'times',
      control: most / first,
      ratio: speedUp / (most / first),
    },
    ...spread(where, rounds),
    ...busy(where, jobsFor(most), rounds),
  ];
}

/** Bare and fleet in turn, so that both meet the same noise. */
async function runRounds(
  environment: BenchmarkEnvironment,
  { queue, jobs, ...options }: Workload & { processes: number; jobs: number },
  howMany: number,
): Promise<Round[]> {
  await using resources = new AsyncDisposableStack();
  const open = (kind: 'bare' | 'fleet') =>
    openScaleRoom(environment, { ...options, kind, queues: [queue] }, resources);
  const rooms = { bare: await open('bare'), fleet: await open('fleet') };
  const measureStores = openStoreLoad(environment, resources);
  // Unmeasured, so that the code is compiled.
  for (const room of Object.values(rooms)) {
    await room.fill(queue, Math.ceil(jobs / 5));
    await run(room, queue, Math.ceil(jobs / 5));
  }
  const rounds: Round[] = [];
  for (let round = 0; round < howMany; round += 1) {
    await rooms.bare.fill(queue, jobs);
    const bare = await run(rooms.bare, queue, jobs);
    await rooms.fleet.fill(queue, jobs);
    const { answer: fleet, ...stores } = await measureStores(() => run(rooms.fleet, queue, jobs));
    rounds.push({ bare, fleet, stores });
  }
  return rounds;
}

async function run({ release, processes }: ScaleRoom, queue: string, jobs: number): Promise<Run> {
  const releasedAtMs = await release();
  await processes.untilDone(queue, jobs);
  const done = processes.doneBy(queue);
  const lastAtMs = Math.max(...done.map((each) => each.lastAtMs));
  return {
    jobsPerSecond: (jobs * 1_000) / (lastAtMs - releasedAtMs),
    jobs: done.map((each) => each.jobs),
  };
}

/** How the jobs of the middle round spread over the processes. */
function spread(where: string, rounds: readonly Round[]): Figure[] {
  const middle = rounds[Math.floor(rounds.length / 2)];
  if (!middle) return [];
  const [fleet, bare] = [sharesOf(middle.fleet), sharesOf(middle.bare)];
  return [
    { name: `${where}: Jain's index`, value: jainIndex(fleet), unit: 'of 1', control: jainIndex(bare) },
    {
      name: `${where}: least share of a process`,
      value: Math.min(...fleet),
      unit: 'of 1',
      control: Math.min(...bare),
    },
    {
      name: `${where}: largest share of a process`,
      value: Math.max(...fleet),
      unit: 'of 1',
      control: Math.max(...bare),
    },
  ];
}

function sharesOf({ jobs }: Run): number[] {
  const all = jobs.reduce((sum, one) => sum + one, 0);
  return jobs.map((one) => one / all);
}

/** How near the stores are to their end. */
function busy(where: string, jobs: number, rounds: readonly Round[]): Figure[] {
  const middle = (name: keyof StoreLoad) => median(rounds.map(({ stores }) => stores[name]));
  return [
    { name: `${where}: Redis`, value: middle('redisShare'), unit: 'of one processor' },
    { name: `${where}: MySQL`, value: middle('statementsPerSecond'), unit: 'statements/s' },
    { name: `${where}: settled together`, value: jobs / middle('updates'), unit: 'jobs a statement' },
  ];
}

/** What others feel while a large load is done. */
async function benchBesideBulk(environment: BenchmarkEnvironment, size: ScaleSize): Promise<Figure[]> {
  await using resources = new AsyncDisposableStack();
  const { queue, workMs, concurrency } = waiting;
  const queues = [queue, neighbour];
  const options = { queues, workMs, concurrency, processes: processesBesideBulk };
  const room = await openScaleRoom(environment, { ...options, kind: 'fleet' }, resources);
  for (const name of queues) await room.add(name, size.few);
  for (const name of queues) await room.processes.untilDone(name, size.few);
  return [...(await benchLanes(room, size)), await benchNeighbour(room, size)];
}

/** How long somebody waits for a worker, alone and while bulk jobs of the same queue are done. */
async function benchLanes({ processes, ...room }: ScaleRoom, { bulk, few }: ScaleSize): Promise<Figure[]> {
  const { queue } = waiting;
  const done = () => processes.doneBy(queue);
  async function send(): Promise<void> {
    await room.add(queue, 1, { timed: true });
    await delay(sendEveryMs);
  }

  processes.forget();
  for (let sent = 0; sent < few; sent += 1) await send();
  await processes.untilDone(queue, few);
  const idle = done().flatMap(({ waitsMs }) => waitsMs);

  await room.fill(queue, bulk, { priority: bulkPriority });
  await room.release();
  let sent = 0;
  // Some bulk jobs are left when this ends: those that came in between are counted, too.
  while (sent === 0 || done().reduce((sum, { jobs }) => sum + jobs, 0) < bulk) {
    await send();
    sent += 1;
  }
  await processes.untilDone(queue, bulk + sent);
  const beside = done().flatMap(({ waitsMs }) => waitsMs);
  return [50, 99].map((percent) => ({
    name: `an interactive job's wait beside bulk jobs, p${percent}`,
    value: percentile(beside, percent),
    unit: 'ms',
    control: percentile(idle, percent),
    ratio: percentile(beside, percent) / percentile(idle, percent),
  }));
}

/** How long a small queue's jobs take beside a large queue in the same processes. */
async function benchNeighbour(room: ScaleRoom, { bulk, few }: ScaleSize): Promise<Figure> {
  async function seconds(): Promise<number> {
    const { jobsPerSecond } = await run(room, neighbour, few);
    return few / jobsPerSecond;
  }
  await room.fill(neighbour, few);
  const alone = await seconds();
  await room.fill(waiting.queue, bulk);
  await room.fill(neighbour, few);
  const beside = await seconds();
  await room.processes.untilDone(waiting.queue, bulk);
  return {
    name: `${few} jobs beside another queue's ${bulk}`,
    value: beside,
    unit: 's',
    control: alone,
    ratio: beside / alone,
  };
}

function named(processes: number): string {
  return processes === 1 ? '1 process' : `${processes} processes`;
}
