import { dynamodbSettings } from '../../../../shared/config/dynamodb-settings.ts';
import { modelSettings } from '../../../../shared/config/model-settings.ts';
import { readSettings } from '../../../../shared/config/read-settings.ts';

const read = (environment: Record<string, string>) =>
  readSettings({ model: modelSettings }, environment).model;

test('without a word about artifacts there are none, and versions are looked for every hour', () => {
  expect(read({})).toEqual({ artifacts: undefined, cacheTtlSeconds: 3_600 });
});

test('a folder', () => {
  const { artifacts } = read({
    ARTIFACTS_URL: 'file:///var/lib/presage%20models/',
    ML_CACHE_TTL_SECONDS: '5',
  });
  expect(artifacts).toEqual({ kind: 'folder', directory: '/var/lib/presage models' });
});

test('a bucket, and the server that has it', () => {
  expect(read({ ARTIFACTS_BUCKET: 'my.models-1' }).artifacts).toEqual({
    kind: 'bucket',
    bucket: 'my.models-1',
    region: 'us-east-1',
    endpointUrl: undefined,
  });
  const minio = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_S3: 'http://minio:9000' };
  expect(read({ ARTIFACTS_BUCKET: 'models', ...minio }).artifacts).toMatchObject({
    region: 'eu-west-1',
    endpointUrl: 'http://minio:9000',
  });
});

test('a bucket comes before a folder', () => {
  const both = { ARTIFACTS_BUCKET: 'models', ARTIFACTS_URL: 'file:///artifacts' };
  expect(read(both).artifacts).toMatchObject({ kind: 'bucket', bucket: 'models' });
});

test.each([
  ['ARTIFACTS_URL', { ARTIFACTS_URL: 's3://bucket' }],
  ['ARTIFACTS_URL', { ARTIFACTS_URL: '/var/lib/presage' }],
  ['ARTIFACTS_URL', { ARTIFACTS_URL: 'file:///' }],
  ['ARTIFACTS_URL', { ARTIFACTS_URL: 'file://server/share' }],
  ['ARTIFACTS_BUCKET', { ARTIFACTS_BUCKET: 'My_Bucket' }],
  ['ML_CACHE_TTL_SECONDS', { ML_CACHE_TTL_SECONDS: '0' }],
  ['AWS_ENDPOINT_URL_S3', { AWS_ENDPOINT_URL_S3: 'minio:9000' }],
])('%s is refused by name: %j', (variable, environment) => {
  expect(() => read(environment)).toThrow(`  ${variable}: `);
});

test('the registry has a table of its own', () => {
  const tables = (environment: Record<string, string>) =>
    readSettings({ dynamodb: dynamodbSettings }, environment).dynamodb;
  expect(tables({})).toMatchObject({ modelRegistryTableName: 'presage-models', isConfigured: false });
  expect(tables({ MODEL_REGISTRY_TABLE: 'models' })).toMatchObject({
    modelRegistryTableName: 'models',
    isConfigured: true,
  });
  const same = { MODEL_REGISTRY_TABLE: 'one', DYNAMODB_TABLE_NAME: 'one' };
  expect(() => tables(same)).toThrow('MODEL_REGISTRY_TABLE: must be another table');
});
