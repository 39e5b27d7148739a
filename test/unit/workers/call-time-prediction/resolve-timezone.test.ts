import { nextCallWindow } from '../../../../shared/call-window/next-call-window.ts';
import { createTimezoneResolver } from '../../../../workers/call-time-prediction/resolve-timezone.ts';
import { defaultPattern } from '../../../../workers/call-time-prediction/default-pattern.ts';

const resolve = createTimezoneResolver((phoneNumber) =>
  phoneNumber.startsWith('+972') ? 'Asia/Jerusalem' : undefined,
);

describe('createTimezoneResolver', () => {
  it('prefers the timezone that the contact names, as it is spelt', () => {
    expect(resolve({ phoneNumber: '+972501234567', timezone: 'europe/PARIS' })).toBe('europe/PARIS');
    expect(resolve({ phoneNumber: '+972501234567', timezone: 'europe/PARIS' })).toBe('europe/PARIS');
    expect(resolve({ phoneNumber: '+972501234567', timezone: 'Europe/Paris' })).toBe('Europe/Paris');
  });

  it("takes the phone number's without one, else UTC", () => {
    expect(resolve({ phoneNumber: '+972501234567' })).toBe('Asia/Jerusalem');
    expect(resolve({ phoneNumber: '+80012345678' })).toBe('UTC');
  });

  it.each([
    'Mars/Olympus',
    '',
    ' ',
    '+02:00',
    '-0500',
    '+02',
    'Z',
    'UTC+2',
    'GMT+2',
    'Etc/Unknown',
    'Europe/Paris ',
    '2026-01-01T00:00:00Z[Europe/Paris]',
    // The Kelvin sign, which is a k in lower case.
    'Asia/\u212Aolkata',
  ])('refuses %j', (timezone) => {
    // The well-spelt name is known by now.
    expect(resolve({ phoneNumber: '+972501234567', timezone: 'Asia/Kolkata' })).toBe('Asia/Kolkata');
    expect(resolve({ phoneNumber: '+972501234567', timezone })).toBeUndefined();
  });

  it('takes nothing that the call window cannot be found for', () => {
    const links = [
      'UTC',
      'GMT',
      'EST',
      'CST6CDT',
      'US/Pacific',
      'Asia/Calcutta',
      'Etc/GMT+3',
      'GMT0',
      'Zulu',
      'ROC',
    ];
    for (const timezone of [...Intl.supportedValuesOf('timeZone'), ...links]) {
      expect(resolve({ phoneNumber: '+972501234567', timezone })).toBe(timezone);
      expect(() => nextCallWindow(defaultPattern, timezone, 1_800_000_000_000)).not.toThrow();
    }
  });
});
