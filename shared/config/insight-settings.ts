import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { numberBetween, urlWithScheme, wholeNumber } from './setting-types.ts';

export interface InsightSettings {
  /** The model of Bedrock that explains risks. */
  model: string;
  /** How long a stored insight is kept, in days. */
  ttlDays: number;
  /** How long a job waits for a vendor when none can answer, in milliseconds. */
  patienceMs: number;
  /** Told of every stored insight whose risk is at least this; `undefined`: nobody is told. */
  notify: { topicArn: string; minRisk: number; region: string; endpointUrl: string | undefined } | undefined;
}

export const insightSettings = settingGroup(
  z.object({
    AWS_REGION: z.string().default('us-east-1'),
    BEDROCK_MODEL_ID: z.string().max(2_048).default('global.anthropic.claude-haiku-4-5-20251001-v1:0'),
    INSIGHT_TTL_DAYS: wholeNumber(1, 3_650).default(90),
    INSIGHT_PATIENCE_SECONDS: wholeNumber(0, 86_400).default(60),
    INSIGHT_SNS_TOPIC_ARN: z
      .string()
      .regex(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, {
        error: 'must be the ARN of an SNS topic, for example arn:aws:sns:us-east-1:123456789012:insights',
      })
      .optional(),
    INSIGHT_NOTIFY_MIN_RISK: numberBetween(0, 100).default(0),
    AWS_ENDPOINT_URL_SNS: urlWithScheme(['http:', 'https:']).optional(),
  }),
  (values): InsightSettings => {
    const { AWS_REGION: region, INSIGHT_SNS_TOPIC_ARN: topicArn } = values;
    return {
      model: values.BEDROCK_MODEL_ID,
      ttlDays: values.INSIGHT_TTL_DAYS,
      patienceMs: values.INSIGHT_PATIENCE_SECONDS * 1_000,
      notify:
        topicArn === undefined
          ? undefined
          : {
              topicArn,
              minRisk: values.INSIGHT_NOTIFY_MIN_RISK,
              region: topicArn.split(':')[3] ?? region,
              endpointUrl: values.AWS_ENDPOINT_URL_SNS,
            },
    };
  },
);
