import type { ActivityLogTable } from './activity-log-table.ts';
import type { ActivityLooksTable } from './activity-looks-table.ts';
import type { AiEventsTable } from './ai-events-table.ts';
import type { CallTimePredictionsTable } from './call-time-predictions-table.ts';
import type { GenerationQueueTable } from './generation-queue-table.ts';
import type { IdempotencyKeysTable } from './idempotency-keys-table.ts';
import type { JobsTable } from './jobs-table.ts';
import type { LeadScoresTable } from './lead-scores-table.ts';
import type { LeadShadowScoresTable } from './lead-shadow-scores-table.ts';
import type { LeadsTable } from './leads-table.ts';
import type { LlmCallsTable } from './llm-calls-table.ts';
import type { OutcomesTable } from './outcomes-table.ts';
import type { PageCacheTable } from './page-cache-table.ts';
import type { PopulationsTable } from './populations-table.ts';

/** The MySQL schema as the current version of the fleet sees it. */
export interface Tables {
  jobs: JobsTable;
  idempotency_keys: IdempotencyKeysTable;
  call_time_predictions: CallTimePredictionsTable;
  llm_calls: LlmCallsTable;
  activity_log: ActivityLogTable;
  outcomes: OutcomesTable;
  activity_looks: ActivityLooksTable;
  populations: PopulationsTable;
  generation_queue: GenerationQueueTable;
  page_cache: PageCacheTable;
  leads: LeadsTable;
  lead_scores: LeadScoresTable;
  lead_shadow_scores: LeadShadowScoresTable;
  ai_events: AiEventsTable;
}
