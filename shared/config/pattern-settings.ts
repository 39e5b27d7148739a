import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { urlWithScheme, wholeNumber } from './setting-types.ts';

export interface PatternSettings {
  /** `undefined`: no model is asked, and statistics stand alone. */
  together: { apiKey: string; baseUrl: string | undefined; model: string } | undefined;
  /** Patterns of less are dropped, 0 to 1. */
  minConfidence: number;
  /** From here on a page is made ahead of time, 0 to 1. */
  queueConfidence: number;
  /** Days of what users did in which patterns are looked for. */
  windowDays: number;
  /** Users who did nothing for so many days are not looked at. */
  activeUserDays: number;
  /** How long a job waits for the model when it cannot answer, in milliseconds. */
  patienceMs: number;
}

const share = z.coerce.number({ error: 'must be a number from 0 to 1' }).min(0).max(1);

/** For servers of one's own, most of which check none; the SDK wants one. */
const placeholderKey = 'no-key';

export const patternSettings = settingGroup(
  z.object({
    TOGETHER_AI_KEY: z.string().optional(),
    TOGETHER_API_KEY: z.string().optional(),
    TOGETHER_BASE_URL: urlWithScheme(['http:', 'https:']).optional(),
    LLAMA_MODEL_ID: z.string().max(200).default('meta-llama/Llama-3.3-70B-Instruct-Turbo'),
    MIN_CONFIDENCE: share.default(0.6),
    QUEUE_CONFIDENCE: share.default(0.7),
    ACTIVITY_WINDOW_DAYS: wholeNumber(1, 365).default(30),
    ACTIVE_USER_DAYS: wholeNumber(1, 365).default(7),
    PATTERN_PATIENCE_SECONDS: wholeNumber(0, 86_400).default(600),
  }),
  (values, report): PatternSettings => {
    if (values.QUEUE_CONFIDENCE < values.MIN_CONFIDENCE) {
      report('QUEUE_CONFIDENCE', `must not be less than MIN_CONFIDENCE (${values.MIN_CONFIDENCE})`);
    }
    const apiKey = values.TOGETHER_AI_KEY ?? values.TOGETHER_API_KEY;
    const { TOGETHER_BASE_URL: baseUrl, LLAMA_MODEL_ID: model } = values;
    const isConfigured = apiKey !== undefined || baseUrl !== undefined;
    return {
      together: isConfigured ? { apiKey: apiKey ?? placeholderKey, baseUrl, model } : undefined,
      minConfidence: values.MIN_CONFIDENCE,
      queueConfidence: values.QUEUE_CONFIDENCE,
      windowDays: values.ACTIVITY_WINDOW_DAYS,
      activeUserDays: values.ACTIVE_USER_DAYS,
      patienceMs: values.PATTERN_PATIENCE_SECONDS * 1_000,
    };
  },
);
