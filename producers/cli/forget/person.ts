import type { Kysely } from 'kysely';
import type { Tables } from '../../../shared/database/tables.ts';
import type { InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import type { Ledger } from '../../../shared/ledger/open-ledger.ts';
import type { RedisConnection } from '../../../shared/queue/connect-redis.ts';
import type { Dispatcher } from '../../../shared/queue/open-dispatcher.ts';
import type { SteeringClients } from '../../../shared/queue/steer-job.ts';
import type { JobTexts } from './forget-in-job.ts';

export interface ForgetClients extends SteeringClients {
  db: Kysely<Tables>;
  ledger: SteeringClients['ledger'] & Pick<Ledger, 'discard'>;
  dispatcher: Pick<Dispatcher, 'dispatch' | 'remove' | 'stateOf'>;
  /** Where the caches are. */
  cache: Pick<RedisConnection, 'client'>;
  /** Absent when no table is configured. */
  insights: Pick<InsightTable, 'forget'> | undefined;
  queues: readonly string[];
}

/** What was done, in numbers of things. */
export interface Forgotten {
  jobs_rewritten: number;
  /** Open jobs among them that were put into Redis again, without the person. */
  jobs_dispatched_again: number;
  /** Finished and cancelled jobs that Redis still remembered. */
  redis_jobs_removed: number;
  /** Of when to call them, or of what they will need. */
  predictions_deleted: number;
  /** Call times that go on without their contact's id. */
  predictions_rewritten: number;
  insights_deleted: number;
  /** Pages made ahead of time; their copies in the cache go with them. */
  pages_deleted: number;
  /** What they did, from the log. */
  events_deleted: number;
  /** That somebody looked for what they tend to do, and when. */
  looks_deleted: number;
  /** Those whose id it is: one, or none. */
  leads_deleted: number;
  /** Of every request that named them. */
  lead_scores_deleted: number;
  /** What challengers said of them, beside the champion that answered. */
  lead_shadow_scores_deleted: number;
  outcomes_deleted: number;
  /** What models wrote for the rewritten jobs; what it cost stays. */
  answers_deleted: number;
  cache_entries_deleted: number;
  idempotency_keys_deleted: number;
  /** Jobs that workers still have in hand: what they say was not changed. */
  running: string[];
}

/** How a person is recognised, and what becomes of what is stored about them. */
export interface Person {
  /** What every text that mentions them holds; others may hold it too. */
  name: string;
  /** Finds the mentions in a text, every one. */
  mention: RegExp;
  /** Whether a job is about them and nobody else: then there is nothing left to do for it. */
  isSubjectOf(payload: unknown): boolean;
  /**
   * Removes what further jobs about them would be made of. Answers the ids of jobs that are about them alone and may not
   * say so. May be done again.
   */
  forgetSources(clients: Pick<ForgetClients, 'db'>, done: Forgotten): Promise<string[]>;
  /** @param isTheirs whether the job is one of those that may not say so */
  forgetInJob(texts: JobTexts, isTheirs: boolean): JobTexts;
  /** Removes what they have left behind outside the ledger, but what running jobs are found by. May be done again. */
  forgetBesideJobs(clients: Pick<ForgetClients, 'db' | 'cache' | 'insights'>, done: Forgotten): Promise<void>;
}
