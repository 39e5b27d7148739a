import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

export interface RetentionSettings {
  /** How long a settled job stays in the ledger, in days; `undefined` means for ever. */
  ledgerRetentionDays: number | undefined;
}

export const retentionSettings = settingGroup(
  z.object({ LEDGER_RETENTION_DAYS: wholeNumber(0, 36_500).default(30) }),
  (values): RetentionSettings => ({ ledgerRetentionDays: values.LEDGER_RETENTION_DAYS || undefined }),
);
