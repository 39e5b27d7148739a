import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { urlWithScheme, wholeNumber } from './setting-types.ts';

export interface CallTimeSettings {
  region: string;
  /** The SageMaker endpoint that is asked; `undefined` means that the default pattern answers. */
  endpointName: string | undefined;
  /** An address that replaces AWS's own, for example a local server. */
  endpointUrl: string | undefined;
  cacheTtlSeconds: number;
  /** Endpoint calls in flight in one process. */
  parallelism: number;
}

export const callTimeSettings = settingGroup(
  z.object({
    AWS_REGION: z.string().default('us-east-1'),
    SAGEMAKER_ENDPOINT_NAME: z
      .string()
      .regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/, { error: 'must be letters, digits and hyphens' })
      .max(63)
      .optional(),
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: urlWithScheme(['http:', 'https:']).optional(),
    CALL_TIME_CACHE_TTL_SECONDS: wholeNumber(1, 31_536_000).default(604_800),
    CALL_TIME_PARALLELISM: wholeNumber(1, 1000).default(32),
  }),
  (values): CallTimeSettings => ({
    region: values.AWS_REGION,
    endpointName: values.SAGEMAKER_ENDPOINT_NAME,
    endpointUrl: values.AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME,
    cacheTtlSeconds: values.CALL_TIME_CACHE_TTL_SECONDS,
    parallelism: values.CALL_TIME_PARALLELISM,
  }),
);
