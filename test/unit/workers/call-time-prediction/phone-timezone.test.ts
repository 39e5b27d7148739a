import { parsePhoneNumberFromString } from 'libphonenumber-js';
import { timezones } from 'libphonenumber-geo-carrier';
import {
  loadPhoneTimezones,
  type TimezoneOfNumber,
} from '../../../../workers/call-time-prediction/phone-timezone.ts';

describe('loadPhoneTimezones', () => {
  let timezoneOf: TimezoneOfNumber;
  beforeAll(async () => {
    timezoneOf = await loadPhoneTimezones();
  });

  it.each([
    ['+972501234567', 'Asia/Jerusalem'],
    ['+12125550123', 'America/New_York'],
    ['+14155550123', 'America/Los_Angeles'],
    ['+442079460018', 'Europe/London'],
    ['+97714123456', 'Asia/Katmandu'],
  ])('knows where %s is', (phoneNumber, timezone) => expect(timezoneOf(phoneNumber)).toBe(timezone));

  it('takes the middle one of many zones', () => {
    // A toll-free number may be answered anywhere from Guam to St. John's.
    expect(timezoneOf('+18005550123')).toBe('America/New_York');
  });

  it.each(['+80012345678', '+870773111632', '+88213123456'])(
    'knows nothing of %s, which is of no country',
    (number) => expect(timezoneOf(number)).toBeUndefined(),
  );

  // Pins what is read of the package's file against what the package itself says.
  it.each([
    '+972501234567',
    '+18005550123',
    '+12125550123',
    '+19075550123',
    '+77012345678',
    '+79261234567',
    '+79141234567',
    '+61891234567',
    '+61412345678',
    '+5511912345678',
    '+5568912345678',
    '+6281234567890',
    '+62811234567',
    '+351291123456',
    '+34922123456',
    '+80012345678',
  ])('finds a zone of those that the package names for %s', async (text) => {
    const named = await timezones(parsePhoneNumberFromString(text));
    const found = timezoneOf(text);
    if (named === null) expect(found).toBeUndefined();
    else expect(named).toContain(found);
  });

  it('only names zones that the runtime knows', () => {
    for (let prefix = 1; prefix < 10_000; prefix += 1) {
      const timezone = timezoneOf(`+${prefix}5550123`);
      if (timezone !== undefined)
        expect(() => Intl.DateTimeFormat('en', { timeZone: timezone })).not.toThrow();
    }
  });
});
