import { z } from 'zod';
import { insightSchema, type Insight } from '../contracts/churn-insight.ts';

export const microsecondTimestampSchema = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/, {
  error: 'must be a UTC time with six fractional digits',
});

const insightItemSchema = insightSchema
  .extend({
    pk: z.string(),
    sk: microsecondTimestampSchema,
    timestamp: microsecondTimestampSchema,
    ttl: z.number(),
  })
  .refine(({ pk, entity_id }) => pk === partitionKey(entity_id))
  .refine(({ sk, timestamp }) => sk === timestamp);

/** What is stored of an insight: document 002's keys and types, and what made it. */
export type InsightItem = z.output<typeof insightItemSchema>;

export function partitionKey(entityId: string): string {
  return `insight#${entityId}`;
}

/** @param ttlSeconds when it expires, in seconds since the epoch */
export function toInsightItem(insight: Insight, ttlSeconds: number): InsightItem {
  return {
    pk: partitionKey(insight.entity_id),
    sk: insight.timestamp,
    alert_id: insight.alert_id,
    entity_id: insight.entity_id,
    prediction_type: insight.prediction_type,
    risk_score: insight.risk_score,
    explanation: insight.explanation,
    recommendations: insight.recommendations,
    timestamp: insight.timestamp,
    model_used: insight.model_used,
    ttl: ttlSeconds,
    job_id: insight.job_id,
    prompt_version: insight.prompt_version,
    degraded: insight.degraded,
  };
}

/** The insight in an item; `undefined` when it is none of ours. */
export function fromInsightItem(item: unknown): Insight | undefined {
  const parsed = insightItemSchema.safeParse(item);
  // What is stored beside the insight is not part of it.
  return parsed.success ? insightSchema.parse(parsed.data) : undefined;
}

/**
 * A time with six fractional digits, so many microseconds later.
 *
 * @param microseconds a whole number, not negative
 */
export function microsecondsLater(timestamp: string, microseconds: number): string {
  const total = Number(timestamp.slice(23, 26)) + microseconds;
  const wholeMs = Date.parse(`${timestamp.slice(0, 23)}Z`) + Math.floor(total / 1_000);
  const whole = new Date(wholeMs).toISOString().slice(0, 23);
  return `${whole}${String(total % 1_000).padStart(3, '0')}Z`;
}
