import type { OptimalCallTime } from '../../shared/contracts/call-time-prediction.ts';

/** Document 000's fallback: Monday to Friday, 10 to 18 in the contact's own timezone, with low confidence. */
export const defaultPattern: OptimalCallTime = {
  preferredDayOfWeek: [1, 2, 3, 4, 5],
  preferredHourRange: { start: 10, end: 18 },
  confidence: 0.5,
};
