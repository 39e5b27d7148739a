import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../../shared/database/tables.ts';
import type { Ledger } from '../../shared/ledger/open-ledger.ts';
import {
  checkAgainAt,
  jobsToCheck,
  openJobsAfter,
  stillOpen,
  type OpenJob,
} from '../../shared/ledger/relay-queries.ts';
import { beginFinishStep } from '../../shared/ledger/settle-jobs.ts';
import type { Dispatcher } from '../../shared/queue/open-dispatcher.ts';
import type { RedisMemory } from '../../shared/queue/redis-memory.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { compareWithRedis } from './compare-with-redis.ts';

export interface RelayOptions {
  db: Kysely<Tables>;
  ledger: Ledger;
  dispatcher: Dispatcher;
  redisMemory: RedisMemory;
  /** Those that this version of the fleet knows; the jobs of others are left to a relay of a newer one. */
  queues: readonly string[];
  log: Logger;
}

const lookEveryMs = 1_000;
const pageSize = 500;
/** Leaves Redis and MySQL to the jobs themselves while a long backlog is looked through. */
const pauseBetweenPagesMs = 50;
const shortestRecheckMs = 15_000;
const longestRecheckMs = 10 * 60_000;

/**
 * The relay makes Redis agree with the ledger. Each second it looks at the open jobs whose time for that has
 * come; when Redis has lost its memory, at all open jobs at once. Any number of relays may run: what two of
 * them dispatch, Redis takes once. Starts at once; disposing it stops after the page in hand.
 */
export function openRelay(options: RelayOptions): AsyncDisposable {
  const { db, ledger, dispatcher, log } = options;
  const stop = new AbortController();
  const dependencies = {
    ledger,
    dispatcher,
    log,
    stillOpen: (jobs: readonly OpenJob[]) => stillOpen(db, jobs),
    beginFinishStep: (parentId: string) => beginFinishStep(db, parentId),
  };

  async function look(): Promise<void> {
    const memory = await options.redisMemory.check();
    if (memory.lost) {
      log.info('this relay or Redis has started anew: comparing every open job with Redis');
      for (const queue of options.queues) await compareAll(queue);
      memory.confirm();
    }
    await compareDue();
  }

  async function compareAll(queue: string): Promise<void> {
    for (let after = ''; !stop.signal.aborted;) {
      const jobs = await openJobsAfter(db, queue, after, pageSize);
      const { dispatched, crashed } = await compareWithRedis(jobs, dependencies);
      if (dispatched + crashed > 0)
        log.info({ queue, dispatched, crashed }, 'mended the difference to Redis');
      const last = jobs.at(-1);
      if (!last || jobs.length < pageSize) return;
      after = last.id;
    }
  }

  async function compareDue(): Promise<void> {
    while (!stop.signal.aborted) {
      const now = new Date();
      const jobs = await jobsToCheck(db, now, pageSize);
      if (jobs.length === 0) return;
      const known = jobs.filter(({ queue }) => options.queues.includes(queue));
      if (known.length < jobs.length)
        log.info(
          { jobs: jobs.length - known.length },
          'left to a newer relay: their queues are not known here',
        );
      const { dispatched, crashed } = await compareWithRedis(known, dependencies);
      if (dispatched + crashed > 0) log.info({ dispatched, crashed }, 'mended the difference to Redis');
      await recheckLater(jobs, now);
      if (jobs.length < pageSize) return;
      await delay(pauseBetweenPagesMs);
    }
  }

  /** The longer a job has been open, the less often it is looked at. */
  async function recheckLater(jobs: readonly OpenJob[], now: Date): Promise<void> {
    const byDelay = Map.groupBy(jobs, (job) => {
      const ageMs = now.getTime() - Math.max(job.createdAt.getTime(), job.dueAt.getTime());
      const doubled = 2 ** Math.ceil(Math.log2(Math.max(ageMs, shortestRecheckMs)));
      return Math.min(doubled, longestRecheckMs);
    });
    for (const [delayMs, alike] of byDelay) {
      await checkAgainAt(
        db,
        alike.map((job) => job.id),
        new Date(now.getTime() + delayMs),
      );
    }
  }

  async function run(): Promise<void> {
    let failing = false;
    while (!stop.signal.aborted) {
      try {
        await look();
        if (failing) log.info('comparing again');
        failing = false;
      } catch (error) {
        // An outage of either side: whatever is open stays in the ledger, so the next look finds it.
        if (!failing) log.warn({ err: error }, 'cannot compare the ledger with Redis; trying again');
        failing = true;
      }
      await delay(lookEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const running = run();

  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
