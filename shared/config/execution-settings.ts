import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { urlWithScheme } from './setting-types.ts';

/** In what a process runs, and who waits for its start. */
export interface ExecutionSettings {
  mode: 'standalone' | 'step-functions';
  /** Of the state machine's execution. */
  executionId: string | undefined;
  /** As the state machine gave it. */
  executionStartTime: string | undefined;
  /** What a state of the machine waits with; `undefined`: none waits. */
  taskToken: string | undefined;
  region: string;
  /** An address of Step Functions instead of AWS's own. */
  endpointUrl: string | undefined;
}

export const executionSettings = settingGroup(
  z.object({
    EXECUTION_MODE: z
      .enum(['standalone', 'step-functions'], { error: 'must be standalone or step-functions' })
      .default('standalone'),
    PIPELINE_EXECUTION_ID: z.string().max(2_048).optional(),
    EXECUTION_START_TIME: z.string().max(128).optional(),
    TASK_TOKEN: z.string().max(2_048).optional(),
    AWS_REGION: z.string().default('us-east-1'),
    AWS_ENDPOINT_URL_SFN: urlWithScheme(['http:', 'https:']).optional(),
  }),
  (values): ExecutionSettings => ({
    mode: values.EXECUTION_MODE,
    executionId: values.PIPELINE_EXECUTION_ID,
    executionStartTime: values.EXECUTION_START_TIME,
    taskToken: values.TASK_TOKEN,
    region: values.AWS_REGION,
    endpointUrl: values.AWS_ENDPOINT_URL_SFN,
  }),
);
