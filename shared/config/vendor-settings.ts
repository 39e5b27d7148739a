import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { flag, urlWithScheme } from './setting-types.ts';

/** Who writes texts for the workers that ask Bedrock first and OpenAI next. */
export interface VendorSettings {
  /** `undefined`: Bedrock is never called. */
  bedrock: { region: string; endpointUrl: string | undefined } | undefined;
  /** Configured by a key, or by the address of a server that may need none. `undefined`: not asked. */
  openai: { apiKey: string | undefined; baseUrl: string | undefined; model: string } | undefined;
}

export const vendorSettings = settingGroup(
  z.object({
    USE_BEDROCK: flag.default(true),
    AWS_REGION: z.string().default('us-east-1'),
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: urlWithScheme(['http:', 'https:']).optional(),
    OPENAI_API_KEY: z.string().optional(),
    OPENAI_BASE_URL: urlWithScheme(['http:', 'https:']).optional(),
    OPENAI_MODEL_ID: z.string().max(255).default('gpt-4.1'),
  }),
  (values): VendorSettings => {
    const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl, OPENAI_MODEL_ID: model } = values;
    return {
      bedrock: values.USE_BEDROCK
        ? { region: values.AWS_REGION, endpointUrl: values.AWS_ENDPOINT_URL_BEDROCK_RUNTIME }
        : undefined,
      openai: apiKey === undefined && baseUrl === undefined ? undefined : { apiKey, baseUrl, model },
    };
  },
);
