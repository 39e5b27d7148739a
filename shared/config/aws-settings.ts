import { z } from 'zod';
import { settingGroup } from './read-settings.ts';

export interface AwsSettings {
  /** Whether credentials may be looked for at the machine's own metadata service. */
  mayAskInstanceMetadata: boolean;
}

export const awsSettings = settingGroup(
  z.object({ AWS_EC2_METADATA_DISABLED: z.string().optional() }),
  // As the SDK reads it: whatever is not `false` switches it off.
  (values): AwsSettings => ({
    mayAskInstanceMetadata: (values.AWS_EC2_METADATA_DISABLED ?? 'false') === 'false',
  }),
);
