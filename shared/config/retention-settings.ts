import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

export interface RetentionSettings {
  /** How long a settled job stays in the ledger, its telemetry and its scores of leads, in days; `undefined`: for ever. */
  ledgerRetentionDays: number | undefined;
  /** How long what users did, and what that predicted, stays, in days; `undefined` means for ever. */
  activityRetentionDays: number | undefined;
}

export const retentionSettings = settingGroup(
  z.object({
    LEDGER_RETENTION_DAYS: wholeNumber(0, 36_500).default(30),
    ACTIVITY_RETENTION_DAYS: wholeNumber(0, 36_500).default(90),
    ACTIVITY_WINDOW_DAYS: wholeNumber(1, 365).default(30),
  }),
  (values, report): RetentionSettings => {
    const activityRetentionDays = values.ACTIVITY_RETENTION_DAYS || undefined;
    if (activityRetentionDays !== undefined && activityRetentionDays <= values.ACTIVITY_WINDOW_DAYS) {
      report(
        'ACTIVITY_RETENTION_DAYS',
        `must be more than ACTIVITY_WINDOW_DAYS (${values.ACTIVITY_WINDOW_DAYS}), or 0: patterns are found in so many days`,
      );
    }
    return { ledgerRetentionDays: values.LEDGER_RETENTION_DAYS || undefined, activityRetentionDays };
  },
);
