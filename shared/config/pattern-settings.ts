import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { numberBetween, urlWithScheme, wholeNumber } from './setting-types.ts';

export interface PatternSettings {
  /**
   * Configured by a key, or by the address of a server that may need none. `undefined`: no model is asked, and
   * statistics stand alone.
   */
  together: { apiKey: string | undefined; baseUrl: string | undefined; model: string } | undefined;
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

export const patternSettings = settingGroup(
  z.object({
    TOGETHER_AI_KEY: z.string().optional(),
    TOGETHER_API_KEY: z.string().optional(),
    TOGETHER_BASE_URL: urlWithScheme(['http:', 'https:']).optional(),
    LLAMA_MODEL_ID: z.string().max(200).default('meta-llama/Llama-3.3-70B-Instruct-Turbo'),
    MIN_CONFIDENCE: numberBetween(0, 1).default(0.6),
    QUEUE_CONFIDENCE: numberBetween(0, 1).default(0.7),
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
    return {
      together: apiKey === undefined && baseUrl === undefined ? undefined : { apiKey, baseUrl, model },
      minConfidence: values.MIN_CONFIDENCE,
      queueConfidence: values.QUEUE_CONFIDENCE,
      windowDays: values.ACTIVITY_WINDOW_DAYS,
      activeUserDays: values.ACTIVE_USER_DAYS,
      patienceMs: values.PATTERN_PATIENCE_SECONDS * 1_000,
    };
  },
);
