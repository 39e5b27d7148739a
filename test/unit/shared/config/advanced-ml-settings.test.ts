import { advancedMlSettings } from '../../../../shared/config/advanced-ml-settings.ts';
import { readSettings } from '../../../../shared/config/read-settings.ts';

const read = (environment: Record<string, string>) =>
  readSettings({ advancedMl: advancedMlSettings }, environment).advancedMl;

test('the legacy route is there unless it is switched off', () => {
  expect(read({})).toEqual({ legacyEnabled: true });
  expect(read({ AI_ENABLE_LEGACY_ADVANCED_ML: 'true' })).toEqual({ legacyEnabled: true });
  expect(read({ AI_ENABLE_LEGACY_ADVANCED_ML: 'false' })).toEqual({ legacyEnabled: false });
});

test('anything but true and false is refused', () => {
  expect(() => read({ AI_ENABLE_LEGACY_ADVANCED_ML: 'perhaps' })).toThrow('AI_ENABLE_LEGACY_ADVANCED_ML');
});
