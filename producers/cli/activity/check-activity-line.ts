import { hash } from 'node:crypto';
import {
  checkActivityEvent,
  invalidTimezone,
  type ActivityRow,
  type Checked,
  type EventProblem,
} from '../../../shared/activity/activity-event.ts';
import { createTimezoneNames } from '../../../shared/timezone/timezone-names.ts';
import type { ActivityColumns } from './activity-columns.ts';
import { createLineOrdinals } from './line-ordinals.ts';
import { createLocalTime } from './local-time.ts';
import { parseOccurredAt } from './parse-occurred-at.ts';

export type CheckActivityLine = (fields: readonly string[]) => Checked<ActivityRow>;

/** Half of SHA-256: no two different lines of any file will ever share it. */
const fingerprintBytes = 16;

const badOccurredAt: EventProblem = {
  code: 'INVALID_EVENT',
  message: 'occurred_at: must be an ISO date and time, for example 2026-01-15T09:12:30+01:00',
};

/**
 * Makes the check of a file's lines, in order. A line without an event id gets one from what it says and from how many
 * lines before it say the same: the same file has the same ids each time, and all its lines count.
 *
 * @param nowMs milliseconds since the epoch
 */
export function createActivityLineCheck(columns: ActivityColumns, nowMs: number): CheckActivityLine {
  const isTimezone = createTimezoneNames();
  const instantOfLocalTime = createLocalTime();
  const nextOrdinal = createLineOrdinals();

  function eventIdOf({ user_id: user, activity_type: type, occurred_at: at, timezone }: ActivityRow): string {
    const said = JSON.stringify([user, type, at.getTime(), timezone]);
    const fingerprint = hash('sha256', said, 'buffer').subarray(0, fingerprintBytes);
    // The time comes first: lines in the order of time then lie side by side in the index of the ids.
    const time = at.getTime().toString(36).padStart(9, '0');
    return `csv-${time}-${fingerprint.toString('base64url')}-${nextOrdinal(fingerprint)}`;
  }

  return (fields) => {
    if (fields.length > columns.count) {
      const message = `must have ${columns.count} fields, as the first line has`;
      return { problem: { code: 'INVALID_EVENT', message } };
    }
    const timezone = columns.fieldOf(fields, 'timezone') || undefined;
    if (timezone !== undefined && !isTimezone(timezone)) return { problem: invalidTimezone };
    const occurredAt = parseOccurredAt(columns.fieldOf(fields, 'occurred_at'), timezone, instantOfLocalTime);
    if (occurredAt === undefined) return { problem: badOccurredAt };
    const givenId = columns.fieldOf(fields, 'event_id');
    const checked = checkActivityEvent(
      {
        event_id: givenId || 'not-given',
        user_id: columns.fieldOf(fields, 'user_id'),
        activity_type: columns.fieldOf(fields, 'activity_type'),
        occurred_at: new Date(occurredAt).toISOString(),
        timezone,
      },
      { nowMs, isTimezone },
    );
    if ('problem' in checked || givenId !== '') return checked;
    return { row: { ...checked.row, event_id: eventIdOf(checked.row) } };
  };
}
