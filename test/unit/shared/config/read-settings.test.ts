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

test('the nodes of a cluster say whether it speaks TLS', () => {
  const read = (environment: Record<string, string>) =>
    readSettings({ redis: redisSettings }, environment).redis;
  expect(read({ REDIS_CLUSTER_NODES: 'rediss://a:7000,rediss://b:7001' })).toMatchObject({ tls: true });
  expect(read({ REDIS_CLUSTER_NODES: 'redis://a:7000,b:7001' })).toMatchObject({ tls: false });
  expect(read({ REDIS_CLUSTER_NODES: 'a:7000', REDIS_TLS: 'true' })).toMatchObject({ tls: true });
  const problems = problemsOf({ ...good, REDIS_CLUSTER_NODES: 'redis://user:secret-word@a:7000' });
  expect(problems['REDIS_CLUSTER_NODES']).toContain('host:port');
});

test.each([
  [{ DATABASE_URL: 'mysql://u:p@db/presage' }, false],
  [{ DATABASE_URL: 'mysql://u:p@db/presage', DB_TLS: 'true' }, true],
  [{ DATABASE_URL: 'mysql://u:p@db/presage?ssl-mode=verify_identity' }, true],
  [{ DATABASE_URL: 'mysql://u:p@db/presage?ssl-mode=DISABLED' }, false],
  [{ DB_HOST: 'db', DB_NAME: 'presage', DB_USER: 'u', DB_TLS: 'true' }, true],
])('TLS to MySQL: %j', (environment, tls) => {
  expect(readSettings({ database: databaseSettings }, environment).database).toMatchObject({
    host: 'db',
    tls,
  });
});

test('TLS to MySQL needs a host name, and an ssl-mode that is known', () => {
  expect(problemsOf({ ...good, DATABASE_URL: 'mysql://u:p@10.0.0.1/x?ssl-mode=REQUIRED' })).toEqual({
    DATABASE_URL: expect.stringContaining('IP address') as unknown,
  });
  expect(problemsOf({ ...good, DATABASE_URL: 'mysql://u:p@db/x?ssl-mode=PREFERRED' })).toEqual({
    DATABASE_URL: expect.stringContaining('VERIFY_IDENTITY') as unknown,
  });
  const byParts = { DATABASE_URL: '', DB_HOST: '::1', DB_NAME: 'x', DB_USER: 'u', DB_TLS: 'true' };
  expect(problemsOf({ ...good, ...byParts })).toEqual({
    DB_HOST: expect.stringContaining('IP address') as unknown,
  });
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
