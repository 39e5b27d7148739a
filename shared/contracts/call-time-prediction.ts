import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** More contacts than this in one request are refused. */
export const maxContacts = 10_000;

export const contactSchema = z.object({
  id: z.string().min(1).max(256).meta({ description: "The caller's own id of the contact" }),
  phoneNumber: z.string().max(64).meta({ description: 'E.164, for example +972501234567' }),
  timezone: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'IANA timezone; without it the phone number decides, else UTC' }),
  metadata: z
    // Registered, not described: the description of any JSON refers to itself, by this name.
    .record(z.string(), z.json().register(z.globalRegistry, { id: 'AnyJson' }))
    .optional()
    .meta({ description: 'Handed to the model as it is; never logged' }),
});

export type Contact = z.output<typeof contactSchema>;

/**
 * Days are numbered as in document 000: 1 = Monday … 5 = Friday, 6 = Saturday. Sunday is 0, and 7 is
 * understood too, because models trained on ISO days say so. Hours are local, the end is exclusive.
 */
export const optimalCallTimeSchema = z.object({
  preferredDayOfWeek: z.array(z.int().min(0).max(7)).min(1).max(8),
  preferredHourRange: z
    .object({ start: z.int().min(0).max(23), end: z.int().min(1).max(24) })
    .refine((range) => range.start < range.end, { error: 'start must be before end' }),
  confidence: z.number().min(0).max(1),
});

export type OptimalCallTime = z.output<typeof optimalCallTimeSchema>;

export const predictionSources = ['sagemaker', 'cache', 'default'] as const;
export type PredictionSource = (typeof predictionSources)[number];

export const callWindowSchema = z
  .object({ start: z.iso.datetime(), end: z.iso.datetime() })
  .meta({ description: 'The window that is open now or, if none is, the next one; instants in UTC' });

export type CallWindow = z.output<typeof callWindowSchema>;

export const callTimePredictionSchema = z.object({
  contactId: z.string(),
  optimalCallTime: optimalCallTimeSchema,
  cached: z.boolean(),
  source: z.enum(predictionSources),
  next_call_window: callWindowSchema,
});

export type CallTimePrediction = z.output<typeof callTimePredictionSchema>;

export const contactErrorCodes = ['INVALID_PHONE_NUMBER', 'INVALID_TIMEZONE'] as const;

export const contactErrorSchema = z.object({
  contactId: z.string(),
  code: z.enum(contactErrorCodes),
  message: z.string(),
});

export type ContactError = z.output<typeof contactErrorSchema>;

/** Document 000's own. */
export const exampleContacts = {
  contacts: [
    {
      id: 'contact_123',
      phoneNumber: '+972501234567',
      timezone: 'Asia/Jerusalem',
      metadata: { name: 'John Doe', age: 35 },
    },
  ],
};

/** Document 000: when to call each contact. Every contact comes back once, under `predictions` or `errors`. */
export const callTimePrediction = defineQueue({
  name: 'call-time-prediction',
  payload: z.object({ contacts: z.array(contactSchema).min(1).max(maxContacts) }),
  result: z.object({ predictions: z.array(callTimePredictionSchema), errors: z.array(contactErrorSchema) }),
  attempts: 5,
  deadlineMs: 10 * 60_000,
  lane: 'interactive',
});
