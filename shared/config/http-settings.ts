import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

export interface HttpSettings {
  /** Port of the process's own HTTP interface; 0 means any free one. */
  port: number;
}

export const httpSettings = settingGroup(
  z.object({ PORT: wholeNumber(0, 65_535).default(8080) }),
  (values): HttpSettings => ({ port: values.PORT }),
);
