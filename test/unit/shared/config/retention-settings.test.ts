import { readSettings } from '../../../../shared/config/read-settings.ts';
import { retentionSettings } from '../../../../shared/config/retention-settings.ts';

const read = (environment: Record<string, string>) =>
  readSettings({ retention: retentionSettings }, environment).retention;

test('activity is kept for 90 days unless it is said otherwise; 0 is for ever', () => {
  expect(read({})).toEqual({ ledgerRetentionDays: 30, activityRetentionDays: 90 });
  expect(read({ ACTIVITY_RETENTION_DAYS: '0' }).activityRetentionDays).toBeUndefined();
  expect(read({ ACTIVITY_RETENTION_DAYS: '31' }).activityRetentionDays).toBe(31);
});

test('activity is kept for longer than patterns look back', () => {
  expect(() => read({ ACTIVITY_RETENTION_DAYS: '30' })).toThrow('ACTIVITY_RETENTION_DAYS');
  expect(() => read({ ACTIVITY_WINDOW_DAYS: '90' })).toThrow('ACTIVITY_RETENTION_DAYS');
});
