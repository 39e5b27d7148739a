import { isoInstant } from '../../shared/call-window/iso-instant.ts';
import { nextCallWindow } from '../../shared/call-window/next-call-window.ts';
import {
  optimalCallTimeSchema,
  type CallTimePrediction,
  type CallWindow,
  type OptimalCallTime,
  type PredictionSource,
} from '../../shared/contracts/call-time-prediction.ts';
import type { CallTimePredictionsTable } from '../../shared/database/call-time-predictions-table.ts';
import type { CallableContact } from './check-contacts.ts';

/** Makes the row of one contact's prediction. */
export type MakeRow = (
  contact: CallableContact,
  answer: OptimalCallTime,
  source: PredictionSource,
) => CallTimePredictionsTable;

/**
 * @param jobId the job that the rows belong to
 * @param now the time in milliseconds since the epoch
 */
export function createRowMaker(jobId: string, now: () => number): MakeRow {
  // The contacts of a job mostly share a few patterns and timezones.
  const windows = new Map<string, CallWindow & { endMs: number }>();

  function windowOf(answer: OptimalCallTime, timezone: string, nowMs: number): CallWindow {
    const { start, end } = answer.preferredHourRange;
    const key = `${timezone} ${answer.preferredDayOfWeek.join()} ${start}-${end}`;
    const known = windows.get(key);
    // What was open or next a while ago is so until it ends.
    if (known && nowMs < known.endMs) return known;
    const window = nextCallWindow(answer, timezone, nowMs);
    windows.set(key, { ...window, endMs: Date.parse(window.end) });
    return window;
  }

  return (contact, answer, source) => {
    const nowMs = now();
    const window = windowOf(answer, contact.timezone, nowMs);
    return {
      job_id: jobId,
      position: contact.position,
      contact_id: contact.id,
      phone_number: contact.phoneNumber,
      timezone: contact.timezone,
      preferred_days: JSON.stringify(answer.preferredDayOfWeek),
      hour_start: answer.preferredHourRange.start,
      hour_end: answer.preferredHourRange.end,
      confidence: answer.confidence,
      source,
      window_start: new Date(window.start),
      window_end: new Date(window.end),
      predicted_at: new Date(nowMs),
    };
  };
}

/** The answer that a row holds. */
export function answerOf(row: CallTimePredictionsTable): OptimalCallTime {
  const preferredDayOfWeek: unknown = JSON.parse(row.preferred_days);
  return optimalCallTimeSchema.parse({
    preferredDayOfWeek,
    preferredHourRange: { start: row.hour_start, end: row.hour_end },
    confidence: row.confidence,
  });
}

/** The prediction that the caller gets: what the row says, under the contact's id as the caller wrote it. */
export function toPrediction(contactId: string, row: CallTimePredictionsTable): CallTimePrediction {
  return {
    contactId,
    optimalCallTime: answerOf(row),
    cached: row.source === 'cache',
    source: row.source,
    next_call_window: {
      start: isoInstant(row.window_start.getTime()),
      end: isoInstant(row.window_end.getTime()),
    },
  };
}
