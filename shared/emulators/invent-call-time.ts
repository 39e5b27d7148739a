import { createHash } from 'node:crypto';
import type { OptimalCallTime } from '../contracts/call-time-prediction.ts';

/**
 * Days and hours as a model might learn them: by region, spread by the number's hash. The same number and
 * timezone always give the same.
 */
export function inventCallTime(phoneNumber: string, timezone: string): OptimalCallTime {
  const [days = 0, start = 0, length = 0, confidence = 0] = createHash('sha256')
    .update(phoneNumber + timezone)
    .digest();
  const sundayToThursday = /^Asia\/(Jerusalem|Riyadh|Kuwait|Qatar|Amman)$|^Africa\/Cairo$/.test(timezone);
  const week = sundayToThursday ? [0, 1, 2, 3, 4] : [1, 2, 3, 4, 5];
  const startHour = 8 + (start % 9);
  return {
    // The whole working week, or without one of its days.
    preferredDayOfWeek: days % 2 === 0 ? week : week.filter((_, index) => index !== days % week.length),
    preferredHourRange: { start: startHour, end: Math.min(startHour + 2 + (length % 7), 21) },
    confidence: (55 + (confidence % 44)) / 100,
  };
}
