import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { z } from 'zod';
import { migrateStores } from '../../../producers/cli/migrate-stores.ts';
import type { EmbeddedServer } from '../../../shared/embedded/embedded-server.ts';
import { openLlmServer } from '../../../shared/emulators/llm-server.ts';
import { openSagemakerServer } from '../../../shared/emulators/sagemaker-server.ts';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { connectRedis, type RedisClient, type RedisConnection } from '../../../shared/queue/connect-redis.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.ts';
import { openDynamodbProxy, type DynamodbFault } from '../../support/open-dynamodb-proxy.ts';
import { openPrivateServers, type PrivateServers } from '../../support/open-private-servers.ts';
import { openRedisCluster } from '../../support/open-redis-cluster.ts';
import { runPresage } from '../../support/run-presage.ts';

const reportSchema = z.strictObject({
  ok: z.boolean(),
  findings: z.array(
    z.strictObject({
      subject: z.string(),
      check: z.string(),
      state: z.enum(['ok', 'warn', 'fail']),
      finding: z.string().min(1),
      mend: z.string().nullable(),
    }),
  ),
});

let servers: PrivateServers;
let redis: EmbeddedServer;
let connection: RedisConnection;
let client: RedisClient;
let database: TestDatabase;
/** An address that takes connections and never answers. */
let silentPort: number;
const silent = createServer((socket) => void socket.resume().on('error', () => undefined));
let environment: Environment;

beforeAll(async () => {
  servers = await openPrivateServers();
  redis = await servers.startRedis();
  connection = connectRedis(
    { kind: 'url', url: redis.url },
    'producer',
    createLogger({ process: 'test', level: 'silent' }),
  );
  client = connection.client;
  await connection.untilReady(5_000);
  database = await createTestDatabase();
  const dynamodb = await servers.startDynamodb();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  silentPort = (silent.address() as AddressInfo).port;
  environment = {
    REDIS_URL: redis.url,
    DATABASE_URL: database.url,
    // Somebody who can be asked, and is asked with --deep only.
    USE_BEDROCK: 'false',
    OPENAI_API_KEY: 'sk-secret',
    OPENAI_BASE_URL: `http://127.0.0.1:${silentPort}/v1`,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  // What this machine has is not what is tested.
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) delete process.env[name];
  process.env['AWS_CONFIG_FILE'] = process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/dev/null';
  await migrateStores(environment);
});
afterAll(async () => {
  silent.close();
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

/** Runs the doctor; answers its exit code and what it found to be mended, as `state subject check: finding`. */
async function doctor(changes: Environment = {}, flags: readonly string[] = []) {
  const startedAt = performance.now();
  const run = await runPresage(['doctor', '--json', ...flags], { ...environment, ...changes });
  const report = reportSchema.parse(JSON.parse(run.output));
  expect(report.ok).toBe(run.exitCode === 0);
  for (const { state, mend } of report.findings) expect(mend === null).toBe(state === 'ok');
  return {
    exitCode: run.exitCode,
    tookMs: performance.now() - startedAt,
    all: report.findings.map(
      ({ state, subject, check, finding }) => `${state} ${subject} ${check}: ${finding}`,
    ),
    amiss: report.findings
      .filter(({ state }) => state !== 'ok')
      .map(({ state, subject, check, finding }) => `${state} ${subject} ${check}: ${finding}`),
    text: run.output + run.messages,
  };
}

function redisAt(change: (url: URL) => void): Environment {
  const url = new URL(redis.url);
  change(url);
  return { REDIS_URL: url.href };
}

test('all well: one line for each check, quickly, exit 0', async () => {
  const { exitCode, all, amiss, tookMs } = await doctor();
  expect({ exitCode, amiss }).toEqual({ exitCode: 0, amiss: [] });
  const checks = [
    'redis eviction',
    'redis persistence',
    'mysql schema',
    'sagemaker endpoint',
    'dynamodb table',
  ];
  for (const check of checks) {
    expect(all.filter((line) => line.startsWith(`ok ${check}: `))).toHaveLength(1);
  }
  expect(tookMs).toBeLessThan(10_000);

  const { output, messages } = await runPresage(['doctor'], environment);
  expect(output.trimEnd().split('\n')).toHaveLength(all.length);
  expect(output).toMatch(/^ok {4}redis eviction +maxmemory-policy is noeviction$/m);
  expect(messages).toBe('');
});

describe('Redis', () => {
  test('a policy that evicts', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const { exitCode, amiss } = await doctor();
      expect(exitCode).toBe(1);
      expect(amiss).toEqual([
        'fail redis eviction: maxmemory-policy is allkeys-lru: jobs are deleted when memory is full',
      ]);
      const { output, messages } = await runPresage(['doctor'], environment);
      expect(output).toMatch(/^fail {2}redis eviction .*allkeys-lru.* Set maxmemory-policy noeviction/m);
      expect(messages).toMatch(/^1 of \d+ checks failed\.\n$/);
    } finally {
      await client.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  test('no append-only file', async () => {
    await client.config('SET', 'appendonly', 'no');
    try {
      const { exitCode, amiss } = await doctor();
      expect(exitCode).toBe(1);
      expect(amiss).toEqual([
        expect.stringMatching(/^fail redis persistence: the append-only file \(AOF\) is off/),
      ]);
      // Where a provider keeps the configuration to itself, keeping the data is its business too.
      await client.call('ACL', 'SETUSER', 'tenant', 'on', '>word', '~*', '&*', '+@all', '-config');
      const managed = await doctor(
        redisAt((url) => {
          url.username = 'tenant';
          url.password = 'word';
        }),
      );
      expect(managed.exitCode).toBe(0);
      expect(managed.amiss).toEqual([expect.stringMatching(/^warn redis persistence: no append-only file/)]);
    } finally {
      await client.config('SET', 'appendonly', 'yes');
    }
  });

  test('a user who may not ask', async () => {
    await client.call('ACL', 'SETUSER', 'curious', 'on', '>word', '~*', '&*', '+@all', '-info');
    const { exitCode, amiss } = await doctor(
      redisAt((url) => {
        url.username = 'curious';
        url.password = 'word';
      }),
    );
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringContaining('refuses the user commands that the fleet needs')]);
  });

  test.each<[string, (url: URL) => void, RegExp]>([
    ['a wrong password', (url) => (url.password = 'wrong-word'), /refuses the user or the password/],
    ['no password', (url) => (url.username = url.password = ''), /asks for a password, and none/],
    ['TLS where there is none', (url) => (url.protocol = 'rediss:'), /in time|closes|not speak TLS/],
    ['nobody there', (url) => (url.port = '1'), /nothing listens at 127\.0\.0\.1:1$/],
    ['an unknown host', (url) => (url.hostname = 'nowhere.invalid'), /has no address/],
    ['one that hangs', (url) => (url.port = String(silentPort)), /does not answer as Redis does/],
    ['a database that it does not have', (url) => (url.pathname = '/99'), /DB index is out of range/],
  ])('%s', async (_what, change, finding) => {
    const { exitCode, amiss, text, tookMs } = await doctor(redisAt(change));
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringMatching(/^fail redis connection: /)]);
    expect(amiss[0]).toMatch(finding);
    for (const word of ['wrong-word', new URL(redis.url).password]) expect(text).not.toContain(word);
    expect(tookMs).toBeLessThan(15_000);
  });

  test('one that was stopped in mid-connection', async () => {
    process.kill(redis.pid ?? 0, 'SIGSTOP');
    try {
      const { exitCode, amiss, tookMs } = await doctor();
      expect(exitCode).toBe(1);
      expect(amiss).toEqual([expect.stringMatching(/^fail redis connection: /)]);
      expect(tookMs).toBeLessThan(15_000);
    } finally {
      process.kill(redis.pid ?? 0, 'SIGCONT');
    }
  });

  test('the caches have a Redis of their own, which may evict', async () => {
    await client.config('SET', 'maxmemory', '1gb');
    try {
      const full = await doctor({ CACHE_REDIS_URL: redis.url });
      expect(full.exitCode).toBe(0);
      expect(full.amiss).toEqual([expect.stringContaining('warn cache redis eviction: ')]);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
    expect(await doctor({ CACHE_REDIS_URL: redis.url })).toMatchObject({ exitCode: 0, amiss: [] });
    const { exitCode, amiss } = await doctor({ CACHE_REDIS_URL: 'redis://127.0.0.1:1' });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual(['fail cache redis connection: nothing listens at 127.0.0.1:1']);
  });

  test('each primary of a cluster', async () => {
    await using cluster = await openRedisCluster();
    const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const [first = ''] = nodes;
    await using node = connectRedis(
      { kind: 'url', url: `redis://${first}` },
      'producer',
      createLogger({ process: 'test', level: 'silent' }),
    );
    await node.untilReady(5_000);
    await node.client.config('SET', 'maxmemory-policy', 'volatile-ttl');
    const { exitCode, amiss } = await doctor({ REDIS_URL: '', REDIS_CLUSTER_NODES: nodes.join(',') });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringContaining(`volatile-ttl on ${first}: jobs`),
      expect.stringMatching(/AOF\) is off on (\S+, ){2}\S+: a restart/),
    ]);
    const single = await doctor({ REDIS_URL: `redis://${first}` });
    expect(single.amiss[0]).toMatch(/^fail redis connection: it is a node of a cluster/);
  });
});

describe('MySQL', () => {
  test('without migrations', async () => {
    await using empty = await createTestDatabase({ migrate: false });
    const { exitCode, amiss } = await doctor({ DATABASE_URL: empty.url });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringMatching(/^fail mysql schema: migrations have not been run: 0001-jobs, /),
    ]);
  });

  test('tables that are missing, incomplete or somebody else’s, and a newer schema', async () => {
    await using own = await createTestDatabase();
    await using db = openDatabase(own.settings);
    await sql`drop table call_time_predictions`.execute(db.db);
    await sql`alter table jobs drop column due_at`.execute(db.db);
    await sql`insert into presage_migrations values ('9999-later', '2030-01-01T00:00:00.000Z')`.execute(
      db.db,
    );
    const { exitCode, amiss } = await doctor({ DATABASE_URL: own.url });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      'fail mysql tables: missing, although their migration was run: call_time_predictions',
      'fail mysql tables: columns are missing, although their migration was run: jobs (without due_at)',
      'warn mysql schema: a newer version of Presage has run migrations: 9999-later',
    ]);

    await using foreign = await createTestDatabase({ migrate: false });
    await using foreignDb = openDatabase(foreign.settings);
    await sql`create table jobs (id int primary key, payload text)`.execute(foreignDb.db);
    const found = await doctor({ DATABASE_URL: foreign.url });
    expect(found.amiss[1]).toMatch(
      /^fail mysql tables: tables that Presage did not make.*: jobs \(without queue, /,
    );
  });

  test.each<[string, (url: URL) => void, RegExp]>([
    ['a wrong password', (url) => (url.password = 'wrong-word'), /refuses the user or the password/],
    [
      'a database that it does not have',
      (url) => (url.pathname = '/nowhere'),
      /no database of the configured/,
    ],
    ['nobody there', (url) => (url.port = '1'), /nothing listens at 127\.0\.0\.1:1$/],
    ['one that hangs', (url) => (url.port = String(silentPort)), /no answer from .* in time/],
    ['a Redis', (url) => (url.port = new URL(redis.url).port), /no answer from|does not answer as MySQL/],
  ])('%s', async (_what, change, finding) => {
    const url = new URL(database.url);
    const { password } = url;
    change(url);
    const { exitCode, amiss, text, tookMs } = await doctor({ DATABASE_URL: url.href });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringMatching(/^fail mysql connection: /)]);
    expect(amiss[0]).toMatch(finding);
    for (const word of ['wrong-word', password]) expect(text).not.toContain(word);
    expect(tookMs).toBeLessThan(15_000);
  });

  test('TLS where there is none', async () => {
    const { amiss } = await doctor({ DB_TLS: 'true' });
    expect(amiss).toEqual([expect.stringMatching(/^fail mysql connection: .* does not speak TLS$/)]);
  });
});

describe('SageMaker', () => {
  const configured = { SAGEMAKER_ENDPOINT_NAME: 'call-times' };

  test('credentials, without asking the machine for a role', async () => {
    const nobodyElse = { ...configured, OPENAI_API_KEY: '', OPENAI_BASE_URL: '' };
    const { exitCode, amiss: all, tookMs } = await doctor(nobodyElse, ['--deep']);
    const amiss = all.filter((line) => line.includes('sagemaker'));
    expect(exitCode).toBe(1);
    expect(amiss).toEqual(['fail sagemaker credentials: no AWS credentials: the default pattern answers']);
    expect(tookMs).toBeLessThan(10_000);
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'own';
    try {
      expect(await doctor(configured)).toMatchObject({ exitCode: 0, amiss: [] });
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });

  test('the endpoint is called with --deep only, once', async () => {
    await using server = await openSagemakerServer();
    await using model = await openLlmServer();
    const local = {
      ...configured,
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: server.url,
      OPENAI_BASE_URL: model.chatUrl,
    };
    expect((await doctor(local)).exitCode).toBe(0);
    expect(server.requests).toHaveLength(0);
    const deep = await doctor(local, ['--deep']);
    expect(deep.all).toContain('ok sagemaker endpoint: answers with a call time');
    expect(server.requests).toHaveLength(1);
    server.failNext({ kind: 'status', status: 403 });
    const { exitCode, amiss } = await doctor(local, ['--deep']);
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringContaining('fail sagemaker endpoint: The credentials for the endpoint'),
    ]);
  });
});

describe('Bedrock and OpenAI', () => {
  const aboutModels = (lines: readonly string[]) =>
    lines.filter((line) => /^\w+ (bedrock|openai|llm) /.test(line));
  const withBedrock = { USE_BEDROCK: 'true' };

  test('credentials that are not found, and what follows from it', async () => {
    const { exitCode, all, tookMs } = await doctor(withBedrock);
    expect(exitCode).toBe(0);
    expect(aboutModels(all)).toEqual([
      'warn bedrock credentials: no AWS credentials within 2 s: Bedrock is not asked',
      'ok openai key: set',
      'ok llm vendors: asked in this order: OpenAI',
    ]);
    expect(tookMs).toBeLessThan(10_000);
  });

  test('nobody who can be asked: a warning, or a failure where the baseline may not answer', async () => {
    const nobody = { OPENAI_API_KEY: '', OPENAI_BASE_URL: '' };
    expect(await doctor({ ...nobody, ...withBedrock })).toMatchObject({
      exitCode: 0,
      amiss: [expect.stringMatching(/^warn llm vendors: .* degraded baseline$/)],
    });
    expect(await doctor({ ...nobody, DEGRADED_ANSWERS: 'deny' })).toMatchObject({
      exitCode: 1,
      amiss: [expect.stringMatching(/^fail llm vendors: .* every insight fails$/)],
    });
  });

  test('each model is asked one small question, with --deep only', async () => {
    await using server = await openLlmServer();
    const local = {
      ...withBedrock,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url,
      OPENAI_BASE_URL: server.chatUrl,
    };
    expect(await doctor(local)).toMatchObject({ exitCode: 0, amiss: [] });
    expect(server.requests).toHaveLength(0);
    expect(aboutModels((await doctor(local, ['--deep'])).all)).toEqual([
      'ok bedrock credentials: found',
      'ok bedrock model: answers',
      'ok openai key: set',
      'ok openai model: answers',
      'ok llm vendors: asked in this order: Bedrock, OpenAI',
    ]);
    expect(server.requests.map(({ dialect }) => dialect).sort()).toEqual(['chat', 'converse']);

    server.failNext('converse', { kind: 'status', status: 403 });
    server.failNext('chat', { kind: 'status', status: 429 });
    const { exitCode, amiss, text } = await doctor(local, ['--deep']);
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([
      expect.stringMatching(/^fail bedrock model: .*credentials.* \(LLM_ACCESS_DENIED\)$/),
      expect.stringMatching(/^warn openai model: .* \(LLM_RATE_LIMITED\)$/),
    ]);
    expect(text).toContain('Enable access to the model in the Bedrock console');

    server.failNext('converse', { kind: 'quoting' });
    server.failNext('chat', { kind: 'status', status: 401 });
    const refused = await doctor(local, ['--deep']);
    expect(refused.amiss).toEqual([
      expect.stringMatching(/^fail bedrock model: .* \(LLM_REQUEST_REFUSED\)$/),
      expect.stringMatching(/^fail openai model: .* \(LLM_ACCESS_DENIED\)$/),
    ]);
    expect(refused.text).not.toContain('sk-secret');
  });
});

describe('DynamoDB', () => {
  test('nothing is said of it: a warning that names the table', async () => {
    const { exitCode, amiss } = await doctor({ AWS_ENDPOINT_URL_DYNAMODB: '' });
    expect(exitCode).toBe(0);
    expect(amiss).toEqual([
      'warn dynamodb endpoint: nothing is configured: insights would go to the table presage-insights of AWS',
    ]);
  });

  test('no table yet, until it is made', async () => {
    const other = { DYNAMODB_TABLE_NAME: 'iops-dashboard-metrics' };
    const missing = await doctor(other);
    expect(missing.exitCode).toBe(1);
    expect(missing.amiss).toEqual(['fail dynamodb table: iops-dashboard-metrics does not exist']);
    expect((await runPresage(['migrate'], { ...environment, ...other })).exitCode).toBe(0);
    expect(await doctor(other)).toMatchObject({ exitCode: 0, amiss: [] });
  });

  test.each<[string, string, DynamodbFault, string]>([
    [
      'a table of somebody else',
      'DescribeTable',
      { kind: 'answer', status: 200, body: { Table: { TableStatus: 'ACTIVE', KeySchema: [] } } },
      'fail dynamodb table: presage-insights has other keys than Presage',
    ],
    [
      'no right to look',
      'DescribeTable',
      { kind: 'answer', status: 400, type: 'AccessDeniedException' },
      'fail dynamodb endpoint: The credentials for DynamoDB are missing or not accepted',
    ],
    [
      'an outage',
      'DescribeTable',
      { kind: 'answer', status: 503 },
      'fail dynamodb endpoint: does not answer',
    ],
    [
      'nonsense instead of an answer',
      'DescribeTable',
      { kind: 'garbage' },
      'fail dynamodb endpoint: DynamoDB gave no answer that can be used',
    ],
  ])('%s', async (_what, operation, fault, expected) => {
    await using proxy = await openDynamodbProxy(environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
    proxy.failNext(operation, fault);
    const { exitCode, amiss, text } = await doctor({ AWS_ENDPOINT_URL_DYNAMODB: proxy.url });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringContaining(expected)]);
    expect(text).not.toContain('secret.ts');
  });

  test('a table that keeps what has expired: a warning, unless it is an emulator’s', async () => {
    // An address that is not known to be this machine's, and leads here nevertheless.
    const url = environment['AWS_ENDPOINT_URL_DYNAMODB']?.replace('127.0.0.1', '0.0.0.0');
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'own';
    try {
      expect(await doctor({ AWS_ENDPOINT_URL_DYNAMODB: url })).toMatchObject({
        exitCode: 0,
        amiss: ['warn dynamodb expiry: presage-insights keeps what has expired'],
      });
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });

  test('one that hangs is not waited for', async () => {
    const { exitCode, amiss, tookMs } = await doctor({
      AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${silentPort}`,
    });
    expect(exitCode).toBe(1);
    expect(amiss).toEqual(['fail dynamodb endpoint: does not answer']);
    expect(tookMs).toBeLessThan(15_000);
  });
});

test('every problem of the configuration is a finding, and what can be checked is checked', async () => {
  const { exitCode, amiss, all } = await doctor({
    REDIS_URL: 'nonsense-word',
    DB_POOL_SIZE: 'many',
    LOG_LEVEL: 'loud',
    DYNAMODB: 'local',
    LEDGER_RETENTION_DAYS: '-1',
  });
  expect(exitCode).toBe(1);
  for (const variable of ['REDIS_URL', 'DB_POOL_SIZE', 'LOG_LEVEL', 'DYNAMODB', 'LEDGER_RETENTION_DAYS']) {
    expect(amiss.filter((line) => line.startsWith(`fail configuration ${variable}: `))).toHaveLength(1);
  }
  expect(all.join('\n')).toContain('sagemaker endpoint');
  expect(all.join('\n')).not.toContain('nonsense-word');

  const nothing = await doctor({ REDIS_URL: '', DATABASE_URL: '' });
  expect(nothing.amiss).toEqual([
    expect.stringMatching(/^fail configuration REDIS_URL: not set/),
    expect.stringMatching(/^fail configuration DATABASE_URL: not set/),
  ]);
});
