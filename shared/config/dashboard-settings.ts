import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

export interface DashboardSettings {
  /** Port of the dashboard; 0 means any free one. */
  port: number;
}

/** A variable of its own, so that the API and the dashboard can run from one `.env` on one machine. */
export const dashboardSettings = settingGroup(
  z.object({ DASHBOARD_PORT: wholeNumber(0, 65_535).default(8082) }),
  (values): DashboardSettings => ({ port: values.DASHBOARD_PORT }),
);
