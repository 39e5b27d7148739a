import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseSettings } from '../../../../shared/config/database-settings.ts';
import { processSettings } from '../../../../shared/config/process-settings.ts';
import { ConfigurationError, readSettings } from '../../../../shared/config/read-settings.ts';
import { redisSettings } from '../../../../shared/config/redis-settings.ts';

function problemsOf(environment: Record<string, string>): Record<string, string> {
  try {
    readSettings({ process: processSettings, redis: redisSettings, database: databaseSettings }, environment);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]));
  }
  return {};
}

const good = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  DATABASE_URL: 'mysql://user:p%40ss@db.example:3307/presage',
};

test('all problems are told at once, by name', () => {
  const problems = problemsOf({
    LOG_LEVEL: 'loud',
    HEALTH_PORT: '70000',
    REDIS_URL: 'http://x',
    DB_TLS: 'perhaps',
  });
  expect(Object.keys(problems).sort()).toEqual(['DB_TLS', 'HEALTH_PORT', 'LOG_LEVEL', 'REDIS_URL']);
});

test('values never appear among the problems', () => {
  try {
    readSettings({ database: databaseSettings }, { DATABASE_URL: 'postgres://user:secret-word@x/y' });
    throw new Error('accepted');
  } catch (error) {
    expect(String(error)).toContain('DATABASE_URL');
    expect(String(error)).not.toContain('secret-word');
  }
});

test('what is missing is said, with what to do', () => {
  const problems = problemsOf({});
  expect(problems['REDIS_URL']).toContain('set REDIS_URL, REDIS_HOST or REDIS_CLUSTER_NODES');
  expect(problems['DATABASE_URL']).toContain('presage up');
});

test('a host that is not loopback is refused unless the network is trusted', () => {
  expect(problemsOf({ ...good, HOST: '0.0.0.0' })['HOST']).toContain('PRESAGE_TRUSTED_NETWORK=true');
  expect(problemsOf({ ...good, HOST: '0.0.0.0', PRESAGE_TRUSTED_NETWORK: 'true' })).toEqual({});
});

test('a database URL is taken apart', () => {
  expect(readSettings({ database: databaseSettings }, good).database).toEqual({
    host: 'db.example',
    port: 3307,
    database: 'presage',
    user: 'user',
    password: 'p@ss',
    poolSize: 10,
    tls: false,
  });
});

test('a cluster is named by its nodes', () => {
  const { redis } = readSettings(
    { redis: redisSettings },
    { REDIS_CLUSTER_NODES: 'a:7000, b:7001', REDIS_PASSWORD: 'x' },
  );
  expect(redis).toMatchObject({
    kind: 'cluster',
    nodes: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 7001 },
    ],
    password: 'x',
  });
  expect(problemsOf({ ...good, REDIS_CLUSTER_NODES: 'nonsense' })['REDIS_CLUSTER_NODES']).toContain(
    'host:port',
  );
});

test('a secret may come from a file, but not from two places', () => {
  const directory = mkdtempSync(join(tmpdir(), 'presage-settings-'));
  try {
    const file = join(directory, 'password');
    writeFileSync(file, 'from-the-file\n');
    const { redis } = readSettings({ redis: redisSettings }, { REDIS_HOST: 'r', REDIS_PASSWORD_FILE: file });
    expect(redis).toMatchObject({ password: 'from-the-file' });
    expect(
      problemsOf({ ...good, REDIS_PASSWORD: 'a', REDIS_PASSWORD_FILE: file })['REDIS_PASSWORD'],
    ).toContain('not both');
    expect(problemsOf({ ...good, DB_PASSWORD_FILE: join(directory, 'none') })['DB_PASSWORD_FILE']).toContain(
      'cannot be read',
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('an empty value counts as not set', () => {
  expect(problemsOf({ ...good, LOG_LEVEL: '' })).toEqual({});
});
