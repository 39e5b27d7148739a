import { allSettings } from '../../../../shared/config/all-settings.ts';
import { readSettings } from '../../../../shared/config/read-settings.ts';
import { demoEnvironment } from '../../../../producers/cli/demo/demo-environment.ts';

const emulators = { sagemakerUrl: 'http://127.0.0.1:1', bedrockUrl: 'http://127.0.0.1:2' };
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
      USE_BEDROCK: 'false',
      OPENAI_API_KEY_FILE: '/run/secrets/real-key',
      OPENAI_BASE_URL: 'https://real.example',
      INSIGHT_SNS_TOPIC_ARN: 'arn:aws:sns:us-east-1:123456789012:real',
      PRESAGE_API_KEYS: 'real',
      HOST: '0.0.0.0',
      LOG_LEVEL: 'warn',
    };
    const environment = demoEnvironment(given, emulators);
    expect(JSON.stringify(environment)).not.toMatch(/real|production|"aws"/);
    const { insight, dynamodb, callTime, process: own } = readSettings(allSettings, environment);
    expect(insight).toMatchObject({
      useBedrock: true,
      bedrock: { endpointUrl: emulators.bedrockUrl },
      openai: { apiKey: undefined, baseUrl: undefined },
      notify: undefined,
    });
    expect(dynamodb.endpointUrl).toBeUndefined(); // then the fleet brings its own
    expect(callTime.endpointUrl).toBe(emulators.sagemakerUrl);
    expect(own).toMatchObject({ host: '127.0.0.1', logLevel: 'warn' });
  });

  it('leaves out nothing that a file .env could fill in', () => {
    const fromNothing = demoEnvironment({}, emulators);
    for (const name of [
      'OPENAI_API_KEY',
      'OPENAI_API_KEY_FILE',
      'AWS_PROFILE',
      'DYNAMODB',
      'WEBHOOK_SECRETS',
    ]) {
      expect(fromNothing[name]).toBe('');
    }
  });
});
