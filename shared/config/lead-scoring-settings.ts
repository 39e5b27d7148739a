import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { flag, numberBetween } from './setting-types.ts';

export interface LeadScoringSettings {
  /** Share of a model's inputs below which a score is marked as degraded, from 0 to 1. */
  minFeatureCoverage: number;
  /** Whether each request is told of in `ai_events`. */
  telemetryEnabled: boolean;
}

export const leadScoringSettings = settingGroup(
  z.object({
    ML_MIN_FEATURE_COVERAGE: numberBetween(0, 1).default(0.6),
    AI_TELEMETRY_ENABLED: flag.default(true),
  }),
  (values): LeadScoringSettings => ({
    minFeatureCoverage: values.ML_MIN_FEATURE_COVERAGE,
    telemetryEnabled: values.AI_TELEMETRY_ENABLED,
  }),
);
