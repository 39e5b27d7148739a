import type { Pattern } from '../../../shared/patterns/pattern.ts';

const dayNames = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** For example `Mon-Fri 9-10 h`, or `within 15 min of read_alert`. */
export function patternInWords(pattern: Pattern): string {
  if (pattern.kind === 'sequence') return `within ${pattern.within_minutes} min of ${pattern.after}`;
  const { weekdays, hour_start, hour_end } = pattern;
  const names = weekdays.map((day) => dayNames[day]);
  const isRow = weekdays.length > 2 && weekdays.every((day, place) => day === (weekdays[0] ?? 0) + place);
  const days = isRow ? `${names[0]}-${names.at(-1)}` : names.join(' ');
  return `${days} ${hour_start}-${hour_end} h`;
}

/** On the user's own clock, for example `Mon 23 Nov, 09:00–10:00 Europe/Berlin`. */
export function windowInWords(start: Date, end: Date, timezone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: timezone,
  });
  return `${format.formatRange(start, end)} ${timezone}`;
}
