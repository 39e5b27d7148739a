import type { Generated } from 'kysely';

/** Pages that were made ahead of time: one per user and page, the newest. */
export interface PageCacheTable {
  user_id: string;
  page_key: string;
  /** JSON of `shared/pages/page-document.ts`. */
  content: string;
  expires_at: Date;
  /** The start of the window for which it was made; null for pages that other systems wrote. */
  window_start: Generated<Date | null>;
  /** The row of `generation_queue` that it was made for. */
  generation_id: Generated<number | null>;
  /** `bedrock-<model>`, `openai-<model>`, `openai-<model>-fallback` or `baseline-<version>`. */
  model_used: Generated<string | null>;
  /** Boolean: whether a rule made it because no model could. */
  degraded: Generated<number>;
  created_at: Generated<Date>;
}
