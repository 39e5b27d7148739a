import type { Forgotten } from './person.ts';

/** The numbers before anything is done, to be counted up; they stay so where nothing is stored about the person. */
export function nothingForgotten(): Forgotten {
  return {
    jobs_rewritten: 0,
    jobs_dispatched_again: 0,
    redis_jobs_removed: 0,
    predictions_deleted: 0,
    predictions_rewritten: 0,
    insights_deleted: 0,
    pages_deleted: 0,
    events_deleted: 0,
    looks_deleted: 0,
    leads_deleted: 0,
    lead_scores_deleted: 0,
    lead_shadow_scores_deleted: 0,
    outcomes_deleted: 0,
    answers_deleted: 0,
    cache_entries_deleted: 0,
    idempotency_keys_deleted: 0,
    running: [],
  };
}
