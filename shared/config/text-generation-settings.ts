import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

/** What the whole fleet may ask of one vendor; `undefined`: no limit of ours. */
export interface VendorLimits {
  requestsPerMinute: number | undefined;
  tokensPerMinute: number | undefined;
}

export interface TextGenerationSettings {
  limits: Record<'bedrock' | 'openai' | 'together', VendorLimits>;
  /** Whether a baseline may answer when no model can; else that is a failure. */
  degradedAnswers: 'allow' | 'deny';
}

const perMinute = wholeNumber(1, 1_000_000_000).optional();

export const textGenerationSettings = settingGroup(
  z.object({
    BEDROCK_RPM: perMinute,
    BEDROCK_TPM: perMinute,
    OPENAI_RPM: perMinute,
    OPENAI_TPM: perMinute,
    TOGETHER_RPM: perMinute,
    TOGETHER_TPM: perMinute,
    DEGRADED_ANSWERS: z.enum(['allow', 'deny'], { error: 'must be allow or deny' }).default('allow'),
  }),
  (values): TextGenerationSettings => ({
    limits: {
      bedrock: { requestsPerMinute: values.BEDROCK_RPM, tokensPerMinute: values.BEDROCK_TPM },
      openai: { requestsPerMinute: values.OPENAI_RPM, tokensPerMinute: values.OPENAI_TPM },
      together: { requestsPerMinute: values.TOGETHER_RPM, tokensPerMinute: values.TOGETHER_TPM },
    },
    degradedAnswers: values.DEGRADED_ANSWERS,
  }),
);
