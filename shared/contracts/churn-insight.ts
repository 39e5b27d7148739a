import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** Of any characters, but whole ones: half a surrogate pair cannot be stored. */
const name = (description: string) =>
  z
    .string()
    .min(1)
    .max(256)
    .refine((text) => text.isWellFormed(), { error: 'must be well-formed Unicode' })
    .meta({ description });

const common = {
  severity: z.string().max(64),
  entity_id: name('The student or the subject that the alert is about'),
  entity_type: z.string().max(64),
  message: z.string().max(4_000),
  timestamp: z.string().max(64).meta({ description: 'When the alert was raised, as its sender writes it' }),
};

const highCallFrequencySchema = z.object({
  alert_type: z.literal('high_ib_call_frequency'),
  ...common,
  details: z.object({ ib_calls_14d: z.number(), health_score: z.number() }),
});

const lowHealthScoreSchema = z.object({
  alert_type: z.literal('low_health_score'),
  ...common,
  details: z.object({ health_score: z.number(), sessions_7d: z.number(), ib_calls_14d: z.number() }),
});

const supplyDemandImbalanceSchema = z.object({
  alert_type: z.literal('supply_demand_imbalance'),
  ...common,
  details: z.object({
    balance_status: z.string().max(256),
    demand_score: z.number(),
    supply_score: z.number(),
  }),
});

/** Document 002's three alerts. */
export const alertSchema = z.discriminatedUnion('alert_type', [
  highCallFrequencySchema,
  lowHealthScoreSchema,
  supplyDemandImbalanceSchema,
]);

export type Alert = z.output<typeof alertSchema>;
export type AlertOf<Type extends Alert['alert_type']> = Extract<Alert, { alert_type: Type }>;

export const alertTypes = [
  'high_ib_call_frequency',
  'low_health_score',
  'supply_demand_imbalance',
] as const satisfies Alert['alert_type'][];

/** An alert of a type that this version does not know: kept as it is, so that a later version can do it. */
const unknownAlertSchema = z.looseObject({
  alert_type: z
    .string()
    .min(1)
    .max(128)
    .refine((type) => !isAlertType(type)),
});

export type UnknownAlert = z.output<typeof unknownAlertSchema>;

const envelopeFields = {
  id: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({ description: "The event's id: what makes it the same event" }),
  'detail-type': z.string().max(256).optional(),
  source: z.string().max(256).optional(),
  time: z.string().max(64).optional(),
};

/** An event of EventBridge around an alert. */
const alertEnvelopeSchema = z
  .object({ ...envelopeFields, detail: alertSchema })
  .meta({ description: 'An EventBridge event whose detail is the alert' });

/** Document 002's own. */
export const exampleAlertEvent = {
  version: '0',
  id: 'test-event-id',
  'detail-type': 'high_ib_call_frequency',
  source: 'iops-dashboard.processor',
  account: '123456789012',
  time: '2025-01-01T12:00:00Z',
  region: 'us-east-1',
  resources: [],
  detail: {
    alert_type: 'high_ib_call_frequency',
    severity: 'warning',
    entity_id: 'stu_4532',
    entity_type: 'student',
    details: { ib_calls_14d: 5, health_score: 65 },
    message: 'Student stu_4532 has 5 IB calls in 14 days',
    timestamp: '2025-01-01T12:00:00Z',
  },
};

/** What the doors for alerts tell callers to send; what is accepted beyond it is the payload's business. */
export const alertBodySchema = z
  .union([alertEnvelopeSchema, alertSchema])
  .meta({ examples: [exampleAlertEvent, exampleAlertEvent.detail] });

/**
 * What is accepted: an event of EventBridge, or its bare detail. Which one it is meant to be shows in `detail`, so
 * that what is wrong is told about that one.
 */
const payloadSchema = z.unknown().transform((input, context) => {
  const parsed = payloadSchemaOf(input).safeParse(input);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.addIssue({ ...issue, input: undefined });
  return z.NEVER;
});

export type AlertPayload = z.output<typeof payloadSchema>;

function payloadSchemaOf(input: unknown) {
  const inner = detailOf(input);
  const known =
    !isRecord(inner) || typeof inner['alert_type'] !== 'string' || isAlertType(inner['alert_type']);
  const alert = known ? alertSchema : unknownAlertSchema;
  return isRecord(input) && 'detail' in input ? z.object({ ...envelopeFields, detail: alert }) : alert;
}

function detailOf(input: unknown): unknown {
  return isRecord(input) && 'detail' in input ? input['detail'] : input;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAlertType(type: string): boolean {
  return alertTypes.some((known) => known === type);
}

type AlertEnvelope = Extract<AlertPayload, { id?: string | undefined; detail: Alert | UnknownAlert }>;

function isEnvelope(payload: AlertPayload): payload is AlertEnvelope {
  return 'detail' in payload;
}

/** The alert itself, whichever way it came. */
export function alertOf(payload: AlertPayload): Alert | UnknownAlert {
  return isEnvelope(payload) ? payload.detail : payload;
}

export function isKnownAlert(alert: Alert | UnknownAlert): alert is Alert {
  return isAlertType(alert.alert_type);
}

/** An explained risk: document 002's insight, with what made it. */
export const insightSchema = z.object({
  alert_id: z.string().meta({ description: '{alert type}_{entity}_{milliseconds since the epoch}' }),
  entity_id: z.string(),
  prediction_type: z.enum(alertTypes),
  risk_score: z.number().min(0).max(100),
  explanation: z.string(),
  recommendations: z.array(z.string()),
  timestamp: z.string().meta({ description: 'When the alert was accepted: UTC, six fractional digits' }),
  model_used: z.string().meta({
    description: 'bedrock-<model>, openai-<model>, openai-<model>-fallback or baseline-<version>',
  }),
  job_id: z.uuid(),
  prompt_version: z.string(),
  degraded: z.boolean().meta({ description: 'Whether a rule answered because no model could' }),
});

export type Insight = z.output<typeof insightSchema>;

/** Document 002: why an entity is at risk, and what to do about it. */
export const churnInsight = defineQueue({
  name: 'churn-insight',
  payload: payloadSchema,
  result: insightSchema,
  attempts: 5,
  // Two vendors, each asked twice for 30 s at most, and what a call of another worker is waited for.
  deadlineMs: 4 * 60_000,
  lane: 'interactive',
  // The detail as it was sent: alerts may differ in what this version does not look at.
  identityOf: (payload, input) =>
    isEnvelope(payload) && payload.id !== undefined ? { id: payload.id } : detailOf(input),
});
