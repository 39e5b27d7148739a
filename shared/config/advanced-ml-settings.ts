import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { flag } from './setting-types.ts';

export interface AdvancedMlSettings {
  /** Whether the route that callers are to leave is still there. */
  legacyEnabled: boolean;
}

export const advancedMlSettings = settingGroup(
  z.object({ AI_ENABLE_LEGACY_ADVANCED_ML: flag.default(true) }),
  (values): AdvancedMlSettings => ({ legacyEnabled: values.AI_ENABLE_LEGACY_ADVANCED_ML }),
);
