import { z } from 'zod';
import { settingGroup } from './read-settings.ts';

export interface SmokeSettings {
  /** With which `presage smoke` calls a fleet that asks for keys. */
  apiKey: string | undefined;
}

export const smokeSettings = settingGroup(
  z.object({
    PRESAGE_API_KEY: z
      .string()
      // Anything else could not be sent in a header.
      .regex(/^[!-~]+$/, { error: 'must be the key itself, printable ASCII without spaces' })
      .optional(),
  }),
  (values): SmokeSettings => ({ apiKey: values.PRESAGE_API_KEY }),
);
