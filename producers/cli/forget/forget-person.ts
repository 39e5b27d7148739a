import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../../../shared/database/tables.ts';
import { toDispatchable } from '../../../shared/ledger/dispatchable-job.ts';
import type { JobRecord } from '../../../shared/ledger/job-record.ts';
import { mentioningJobs } from '../../../shared/ledger/mentioning-jobs.ts';
import { checkAgainAt } from '../../../shared/ledger/relay-queries.ts';
import { rewriteJob } from '../../../shared/ledger/rewrite-job.ts';
import { removeFinishedJobs } from '../../../shared/queue/remove-finished-jobs.ts';
import { cancelJob } from '../../../shared/queue/steer-job.ts';
import { mentions } from './mention.ts';
import { nothingForgotten } from './nothing-forgotten.ts';
import type { ForgetClients, Forgotten, Person } from './person.ts';

const lookEveryMs = 500;
/** Far longer than rewriting one job takes. */
const relayKeepsOffMs = 60_000;
/** A job that is moved on by somebody else each time it is looked at is as good as running. */
const looksAtOneJob = 5;

/**
 * Removes a person from jobs, the journal of paid calls, predictions, insights, pages, leads and caches. Jobs that are about
 * them alone are cancelled. What a worker has in hand cannot be changed under its hands: such jobs are waited for, and
 * named when they are not done in time. Doing it again is harmless.
 *
 * @throws StoreUnavailableError, what the insight table or the Redis client throws: then some of it is done, and it
 *   may be done again
 */
export async function forgetPerson(
  person: Person,
  waitMs: number,
  clients: ForgetClients,
): Promise<Forgotten> {
  const deadline = performance.now() + waitMs;
  const done = nothingForgotten();
  const theirs = new Set<string>();

  async function forgetJobs(ids: Iterable<string> | AsyncIterable<string>): Promise<void> {
    for await (const id of ids) {
      const isForgotten = await forgetInOneJob({ id, isTheirs: theirs.has(id) }, person, clients, done);
      if (!isForgotten && !done.running.includes(id)) done.running.push(id);
    }
  }

  async function forgetTheirJobs(): Promise<void> {
    const found = await person.forgetSources(clients, done);
    const more = found.filter((id) => !theirs.has(id));
    for (const id of more) theirs.add(id);
    await forgetJobs(more);
  }

  await forgetTheirJobs();
  await forgetJobs(mentioningJobs(clients.db, person.name));
  done.idempotency_keys_deleted += await deleteIdempotencyKeys(person, clients.db);
  // What others had begun to make of them before the first look, and have come to an end with since.
  await forgetTheirJobs();
  await forgetBesideJobs(person, clients, done);

  while (done.running.length > 0 && performance.now() < deadline) {
    await delay(lookEveryMs);
    const before = done.running;
    done.running = [];
    await forgetJobs(before);
    if (done.running.length === before.length) continue;
    // What the workers of those that are done have written meanwhile. One that heard that its job was cancelled may
    // have left a request under way.
    await delay(lookEveryMs);
    await forgetTheirJobs();
    await forgetBesideJobs(person, clients, done);
  }
  return done;
}

/** False when a worker has the job in hand. */
async function forgetInOneJob(
  { id, isTheirs }: { id: string; isTheirs: boolean },
  person: Person,
  clients: ForgetClients,
  done: Forgotten,
): Promise<boolean> {
  const { db, ledger, dispatcher, queues } = clients;
  for (let look = 0; look < looksAtOneJob; look += 1) {
    const job = await ledger.read(id);
    if (!job) return true; // purged meanwhile
    // The ledger was searched for the text alone: it may be part of a longer one.
    if (!isTheirs && !mentions([job.payload, job.result], person.mention)) return true;
    if ((isTheirs || person.isSubjectOf(job.payload)) && (await giveUp(job, clients))) continue;
    // The fleet may have had queues that it has no more; a parent whose children are at work is not for Redis.
    const hasQueue = queues.includes(job.queue);
    const isQueued = hasQueue && job.state === 'accepted' && job.phase !== 'children';
    // Out of reach of the relay and the workers first: what one picks up after this is what is written here.
    if (isQueued) await checkAgainAt(db, [id], new Date(Date.now() + relayKeepsOffMs));
    const wasInRedis = hasQueue && (await dispatcher.stateOf(job)) !== 'lost';
    if (wasInRedis) await dispatcher.remove(job);
    if (hasQueue && (await dispatcher.stateOf(job)) === 'active') return false;
    // Before the job itself: it is found again by what it says.
    done.answers_deleted += await deleteAnswers(id, db);
    const rewritten = await rewriteJob(db, job, (texts) => person.forgetInJob(texts, isTheirs));
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

/** Makes an end of a job that is open or that an operator may retry. False when it has one. */
async function giveUp(job: JobRecord, clients: ForgetClients): Promise<boolean> {
  if (job.state === 'accepted') await cancelJob(job.id, clients);
  else if (job.state === 'failed') await clients.ledger.discard(job.id);
  else return false;
  return true;
}

/** What the person has left behind outside the ledger. */
async function forgetBesideJobs(person: Person, clients: ForgetClients, done: Forgotten): Promise<void> {
  const { redis, keys, queues } = clients;
  for (const queue of queues) {
    done.redis_jobs_removed += await removeFinishedJobs(redis.client, keys, queue, (data) =>
      mentions(parsedOrText(data), person.mention),
    );
  }
  await person.forgetBesideJobs(clients, done);
}

/** Whatever is in Redis: others than this fleet's producers may have put it there. */
function parsedOrText(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

async function deleteAnswers(jobId: string, db: Kysely<Tables>): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('llm_calls')
    .set({ answer: null })
    .where('job_id', '=', jobId)
    .where('answer', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Callers may make keys of anything, of a phone number or an id too. */
async function deleteIdempotencyKeys({ name, mention }: Person, db: Kysely<Tables>): Promise<number> {
  // Found without locks, deleted by their primary keys: requests that bring keys are not held up.
  const found = await db
    .selectFrom('idempotency_keys')
    .select(['scope', 'queue', 'idempotency_key'])
    .where('idempotency_key', 'like', `%${name.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`)
    .execute();
  const theirs = found.filter((key) => mentions(key.idempotency_key, mention));
  for (const key of theirs) {
    await db
      .deleteFrom('idempotency_keys')
      .where((row) => row.and(key))
      .execute();
  }
  return theirs.length;
}
