import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

export interface ContentSettings {
  /** The model of Bedrock that writes pages. */
  model: string;
  /** A page is kept so long, and in any case until the window has ended for which it was made. */
  pageTtlSeconds: number;
  /** How long a job waits for a vendor when none can answer, in milliseconds. */
  patienceMs: number;
}

export const contentSettings = settingGroup(
  z.object({
    CONTENT_MODEL_ID: z.string().max(2_048).default('global.anthropic.claude-sonnet-4-6'),
    PAGE_CACHE_TTL_SECONDS: wholeNumber(1, 31_536_000).default(86_400),
    CONTENT_PATIENCE_SECONDS: wholeNumber(0, 86_400).default(600),
  }),
  (values): ContentSettings => ({
    model: values.CONTENT_MODEL_ID,
    pageTtlSeconds: values.PAGE_CACHE_TTL_SECONDS,
    patienceMs: values.CONTENT_PATIENCE_SECONDS * 1_000,
  }),
);
