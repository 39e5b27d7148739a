import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../../shared/database/tables.ts';
import { nextCallWindow } from '../../shared/call-window/next-call-window.ts';
import type { StoredCallTime } from '../../shared/api-contract/stored-call-time.ts';

const daysSchema = z.array(z.int());

/** The newest prediction for a phone number, with its next call window as of now. */
export async function findCallTime(
  db: Kysely<Tables>,
  phoneNumber: string,
): Promise<StoredCallTime | undefined> {
  const row = await db
    .selectFrom('call_time_predictions')
    .selectAll()
    .where('phone_number', '=', phoneNumber)
    .orderBy('predicted_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const optimalCallTime = {
    preferredDayOfWeek: daysSchema.parse(JSON.parse(row.preferred_days)),
    preferredHourRange: { start: row.hour_start, end: row.hour_end },
    confidence: row.confidence,
  };
  return {
    phoneNumber: row.phone_number,
    contactId: row.contact_id,
    timezone: row.timezone,
    optimalCallTime,
    source: row.source,
    next_call_window: nextCallWindow(optimalCallTime, row.timezone, Date.now()),
    job_id: row.job_id,
    predicted_at: row.predicted_at.toISOString(),
  };
}
