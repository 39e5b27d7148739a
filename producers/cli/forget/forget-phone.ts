import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../../../shared/database/tables.ts';
import { toDispatchable } from '../../../shared/ledger/dispatchable-job.ts';
import { mentioningJobs } from '../../../shared/ledger/mentioning-jobs.ts';
import type { Ledger } from '../../../shared/ledger/open-ledger.ts';
import { checkAgainAt } from '../../../shared/ledger/relay-queries.ts';
import { rewriteJob } from '../../../shared/ledger/rewrite-job.ts';
import { predictionCacheKey } from '../../../shared/prediction-cache/prediction-cache-key.ts';
import type { RedisClient } from '../../../shared/queue/connect-redis.ts';
import type { Dispatcher } from '../../../shared/queue/open-dispatcher.ts';
import type { RedisKeys } from '../../../shared/queue/redis-keys.ts';
import { removeFinishedJobs } from '../../../shared/queue/remove-finished-jobs.ts';
import { forgetInJob, mentionOf } from './forget-in-job.ts';

export interface ForgetClients {
  db: Kysely<Tables>;
  ledger: Pick<Ledger, 'read'>;
  dispatcher: Pick<Dispatcher, 'dispatch' | 'remove' | 'stateOf'>;
  /** Where the queues are. */
  redis: RedisClient;
  /** Where the caches are. */
  cache: RedisClient;
  keys: RedisKeys;
  queues: readonly string[];
}

/** What was done, in numbers of things. */
export interface Forgotten {
  jobs_rewritten: number;
  /** Open jobs among them that were put into Redis again, without the person. */
  jobs_dispatched_again: number;
  /** Finished and cancelled jobs that Redis still remembered. */
  redis_jobs_removed: number;
  predictions_deleted: number;
  cache_entries_deleted: number;
  idempotency_keys_deleted: number;
  /** Jobs that workers still have in hand: nothing was changed in them. */
  running: string[];
}

const rowsPerStatement = 500;
const lookEveryMs = 500;
/** Far longer than rewriting one job takes. */
const relayKeepsOffMs = 60_000;
/** A job that is moved on by somebody else each time it is looked at is as good as running. */
const looksAtOneJob = 5;

/**
 * Removes the person who has this phone number from jobs, predictions and caches. What a worker has in hand cannot
 * be changed under its hands: such jobs are waited for, and named when they are not done in time. Doing it again
 * is harmless.
 *
 * @param phoneNumber in E.164 form
 * @throws StoreUnavailableError, or what the Redis client throws: then some of it is done, and it may be done again
 */
export async function forgetPhone(
  phoneNumber: string,
  waitMs: number,
  clients: ForgetClients,
): Promise<Forgotten> {
  const deadline = performance.now() + waitMs;
  const done: Forgotten = {
    jobs_rewritten: 0,
    jobs_dispatched_again: 0,
    redis_jobs_removed: 0,
    predictions_deleted: 0,
    cache_entries_deleted: 0,
    idempotency_keys_deleted: 0,
    running: [],
  };
  for await (const id of mentioningJobs(clients.db, phoneNumber)) {
    if (!(await forgetInOneJob(id, phoneNumber, clients, done))) done.running.push(id);
  }
  done.idempotency_keys_deleted += await deleteIdempotencyKeys(phoneNumber, clients.db);
  await forgetBesideJobs(phoneNumber, clients, done);

  while (done.running.length > 0 && performance.now() < deadline) {
    await delay(lookEveryMs);
    const before = done.running;
    done.running = [];
    for (const id of before) {
      if (!(await forgetInOneJob(id, phoneNumber, clients, done))) done.running.push(id);
    }
    // What the workers of those that are done have written meanwhile.
    if (done.running.length < before.length) await forgetBesideJobs(phoneNumber, clients, done);
  }
  return done;
}

/** False when a worker has the job in hand. */
async function forgetInOneJob(
  id: string,
  phoneNumber: string,
  { db, ledger, dispatcher, queues }: ForgetClients,
  done: Forgotten,
): Promise<boolean> {
  for (let look = 0; look < looksAtOneJob; look += 1) {
    const job = await ledger.read(id);
    if (!job) return true; // purged meanwhile
    // The ledger was searched for the text alone: it may be the beginning of a longer number.
    if (JSON.stringify([job.payload, job.result]).search(mentionOf(phoneNumber)) === -1) return true;
    // The fleet may have had queues that it has no more; a parent whose children are at work is not for Redis.
    const hasQueue = queues.includes(job.queue);
    const isQueued = hasQueue && job.state === 'accepted' && job.phase !== 'children';
    // Out of reach of the relay and the workers first: what one picks up after this is what is written here.
    if (isQueued) await checkAgainAt(db, [id], new Date(Date.now() + relayKeepsOffMs));
    const wasInRedis = hasQueue && (await dispatcher.stateOf(job)) !== 'lost';
    if (wasInRedis) await dispatcher.remove(job);
    if (hasQueue && (await dispatcher.stateOf(job)) === 'active') return false;
    const rewritten = await rewriteJob(db, job, (texts) => forgetInJob(texts, phoneNumber));
    if (!rewritten) continue;
    done.jobs_rewritten += 1;
    if (isQueued) {
      await dispatcher.dispatch([toDispatchable(rewritten)], { again: true });
      done.jobs_dispatched_again += 1;
    } else if (wasInRedis) {
      done.redis_jobs_removed += 1;
    }
    return true;
  }
  return false;
}

/** What the person has left behind outside the ledger. */
async function forgetBesideJobs(
  phoneNumber: string,
  { db, redis, cache, keys, queues }: ForgetClients,
  done: Forgotten,
): Promise<void> {
  const mention = mentionOf(phoneNumber);
  for (const queue of queues) {
    done.redis_jobs_removed += await removeFinishedJobs(
      redis,
      keys,
      queue,
      (data) => data.search(mention) !== -1,
    );
  }
  for (let deleted = rowsPerStatement; deleted === rowsPerStatement;) {
    const { numDeletedRows } = await db
      .deleteFrom('call_time_predictions')
      .where('phone_number', '=', phoneNumber)
      .limit(rowsPerStatement)
      .executeTakeFirstOrThrow();
    deleted = Number(numDeletedRows);
    done.predictions_deleted += deleted;
  }
  done.cache_entries_deleted += await cache.del(predictionCacheKey(phoneNumber));
}

/** Callers may make keys of anything, of a phone number too. */
async function deleteIdempotencyKeys(phoneNumber: string, db: Kysely<Tables>): Promise<number> {
  // Found without locks, deleted by their primary keys: requests that bring keys are not held up.
  const found = await db
    .selectFrom('idempotency_keys')
    .select(['scope', 'queue', 'idempotency_key'])
    .where('idempotency_key', 'like', `%${phoneNumber}%`)
    .execute();
  for (const key of found) {
    await db
      .deleteFrom('idempotency_keys')
      .where((row) => row.and(key))
      .execute();
  }
  return found.length;
}
