import { allSettings } from '../../../../shared/config/all-settings.ts';
import { readSettings, type Environment } from '../../../../shared/config/read-settings.ts';
import { demoEnvironment } from '../../../../producers/cli/demo/demo-environment.ts';

const llm = { url: 'http://127.0.0.1:2', chatUrl: 'http://127.0.0.1:2/v1' };
const emulators = { sagemakerUrl: 'http://127.0.0.1:1', llm };
const stores = { REDIS_URL: 'redis://127.0.0.1', DATABASE_URL: 'mysql://u:p@127.0.0.1/d' };

describe('demoEnvironment', () => {
  it('reaches no account, whatever the environment names', () => {
    const given = {
      ...stores,
      AWS_PROFILE: 'production',
      AWS_ACCESS_KEY_ID: 'real-id',
      AWS_SECRET_ACCESS_KEY: 'real-secret',
      AWS_SESSION_TOKEN: 'real-token',
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: 'https://real.example',
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'https://real.example',
      AWS_ENDPOINT_URL_DYNAMODB: 'https://real.example',
      DYNAMODB: 'aws',
      MODEL_REGISTRY_TABLE: 'real-models',
      ARTIFACTS_BUCKET: 'real-bucket',
      USE_BEDROCK: 'false',
      OPENAI_API_KEY_FILE: '/run/secrets/real-key',
      OPENAI_BASE_URL: 'https://real.example',
      TOGETHER_AI_KEY: 'real-key',
      TOGETHER_API_KEY_FILE: '/run/secrets/real-key',
      TOGETHER_BASE_URL: 'https://real.example',
      PATTERN_SWEEP_CRON: '* * * * *',
      INSIGHT_SNS_TOPIC_ARN: 'arn:aws:sns:us-east-1:123456789012:real',
      PRESAGE_API_KEYS: 'real',
      HOST: '0.0.0.0',
      LOG_LEVEL: 'warn',
    };
    const environment = demoEnvironment(given, emulators);
    expect(JSON.stringify(environment)).not.toMatch(/real|production|"aws"/);
    const { vendors, insight, patterns, ...settings } = readSettings(allSettings, environment);
    const { dynamodb, callTime, process: own } = settings;
    expect(vendors).toMatchObject({ bedrock: { endpointUrl: llm.url }, openai: undefined });
    expect(patterns.together).toMatchObject({ apiKey: undefined, baseUrl: llm.chatUrl });
    expect(insight.notify).toBeUndefined();
    expect(settings.schedules.patternSweepCron).not.toBe(given.PATTERN_SWEEP_CRON);
    expect(dynamodb.endpointUrl).toBeUndefined(); // then the fleet brings its own
    expect(callTime.endpointUrl).toBe(emulators.sagemakerUrl);
    expect(own).toMatchObject({ host: '127.0.0.1', logLevel: 'warn' });
  });

  it('finds patterns and makes pages as it does everywhere, whatever the environment asks for', () => {
    const given = {
      ...stores,
      QUEUE_CONFIDENCE: '0.99',
      MIN_CONFIDENCE: '0.9',
      ACTIVITY_WINDOW_DAYS: '3',
      ACTIVITY_RETENTION_DAYS: '4',
      CONTENT_MODEL_ID: 'another',
      PAGE_CACHE_TTL_SECONDS: '1',
    };
    const read = (environment: Environment) => {
      const { patterns, content, retention } = readSettings(allSettings, environment);
      return { patterns: { ...patterns, together: undefined }, content, retention };
    };
    expect(read(demoEnvironment(given, emulators))).toEqual(read(stores));
  });

  it('leaves out nothing that a file .env could fill in', () => {
    const fromNothing = demoEnvironment({}, emulators);
    for (const name of [
      'OPENAI_API_KEY',
      'OPENAI_API_KEY_FILE',
      'TOGETHER_API_KEY',
      'TOGETHER_API_KEY_FILE',
      'AWS_PROFILE',
      'DYNAMODB',
      'WEBHOOK_SECRETS',
    ]) {
      expect(fromNothing[name]).toBe('');
    }
  });
});
