import { createTimezoneNames } from '../../../../shared/timezone/timezone-names.ts';
import { userTimezone } from '../../../../workers/pattern-detection/user-timezone.ts';

const isTimezone = createTimezoneNames();
const timezoneOf = (...timezones: (string | null)[]) =>
  userTimezone(
    timezones.map((timezone) => ({ timezone })),
    isTimezone,
  );

describe('userTimezone', () => {
  it('is the latest that an event names', () => {
    expect(timezoneOf('Europe/Berlin', 'Asia/Tokyo', null)).toBe('Asia/Tokyo');
  });

  it('is UTC when no event names any', () => {
    expect(timezoneOf(null, null)).toBe('UTC');
    expect(timezoneOf()).toBe('UTC');
  });

  it('passes over what is no timezone', () => {
    expect(timezoneOf('Europe/Berlin', 'Mars/Olympus', '+02:00', 'x'.repeat(64))).toBe('Europe/Berlin');
    expect(timezoneOf('Mars/Olympus')).toBe('UTC');
  });
});
