import { contentSettings } from '../../../shared/config/content-settings.ts';
import { leadScoringSettings } from '../../../shared/config/lead-scoring-settings.ts';
import { patternSettings } from '../../../shared/config/pattern-settings.ts';
import type { Environment } from '../../../shared/config/read-settings.ts';

/** Local servers that stand in for vendors. */
export interface Emulators {
  sagemakerUrl: string;
  /** Of the language models' server: Bedrock's wire format, and chat completions. */
  llm: { url: string; chatUrl: string };
}

/** Beside what is set below: whatever could reach an account or a topic, refuse a call of ours or change answers. */
const forgotten = [
  'AWS_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_ENDPOINT_URL_DYNAMODB',
  'DYNAMODB',
  'DYNAMODB_TABLE_NAME',
  'MODEL_REGISTRY_TABLE',
  'ARTIFACTS_BUCKET',
  'ARTIFACTS_URL',
  'BEDROCK_MODEL_ID',
  'BEDROCK_RPM',
  'BEDROCK_TPM',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'TOGETHER_RPM',
  'TOGETHER_TPM',
  'ACTIVITY_RETENTION_DAYS',
  'INSIGHT_SNS_TOPIC_ARN',
  'PRESAGE_API_KEYS',
  'WEBHOOK_SECRETS',
  'SNS_TOPIC_ARNS',
  'HOST',
  ...patternSettings.variables,
  ...contentSettings.variables,
  ...leadScoringSettings.variables,
];

/** On the first of January at midnight: in the demo a sweep happens when it says so. */
const hardlyEver = '0 0 1 1 *';

/**
 * What the demo's fleet runs with, whatever the given environment says: emulators, and no key or account. A variable
 * is emptied rather than left out, because a file `.env` fills in what is left out.
 */
export function demoEnvironment(given: Environment, { sagemakerUrl, llm }: Emulators): Environment {
  const own = {
    ...Object.fromEntries(forgotten.map((name) => [name, ''])),
    AWS_ACCESS_KEY_ID: 'demo',
    AWS_SECRET_ACCESS_KEY: 'demo',
    SAGEMAKER_ENDPOINT_NAME: 'demo-call-times',
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: sagemakerUrl,
    USE_BEDROCK: 'true',
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: llm.url,
    TOGETHER_BASE_URL: llm.chatUrl,
    PATTERN_SWEEP_CRON: hardlyEver,
  };
  const files = Object.fromEntries(Object.keys(own).map((name) => [`${name}_FILE`, '']));
  return { ...given, ...files, ...own };
}
