import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Environment } from '../../../shared/config/read-settings.ts';
import { trustAuthorities } from '../../../shared/config/trust-authorities.ts';
import { makeTlsFiles } from '../../support/make-tls-files.ts';
import { openDoctor, type Doctor } from '../../support/open-doctor.ts';
import { openRedisCluster, type RedisCluster } from '../../support/open-redis-cluster.ts';
import { openSecuredStores, type SecuredStores } from '../../support/open-secured-stores.ts';
import { openServerRoom, type ServerRoom } from '../../support/open-server-room.ts';
import { runPresageProcess } from '../../support/run-presage-process.ts';
import { until } from '../../support/until.ts';

let room: ServerRoom;
let doctor: Doctor;
let stores: SecuredStores;
let cluster: RedisCluster;
beforeAll(async () => {
  room = await openServerRoom();
  [doctor, stores] = await Promise.all([openDoctor(), openSecuredStores()]);
  // Its nodes tell clients their addresses, not their names.
  const hosts = ['localhost', '127.0.0.1'];
  const secured = await makeTlsFiles(path.join(room.directory, 'cluster'), hosts, stores.files.issuer);
  cluster = await openRedisCluster({ secured });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
  await doctor[Symbol.asyncDispose]();
  await room[Symbol.asyncDispose]();
});

function changed(address: string, change: (url: URL) => void): string {
  const url = new URL(address);
  change(url);
  return url.href;
}

const clusterAt = (host: string): Environment => ({
  REDIS_URL: '',
  REDIS_CLUSTER_NODES: cluster.nodes.map(({ port }) => `${host}:${port}`).join(','),
  REDIS_USERNAME: cluster.settings.username,
  REDIS_PASSWORD: cluster.settings.password,
});

/** This process knows nothing of the authority. */
describe('without the authority', () => {
  test.each<[string, () => Environment, RegExp]>([
    [
      'Redis',
      () => ({ REDIS_URL: stores.redisUrl }),
      /^fail redis connection: the certificate of localhost:\d+ is not accepted \(SELF_SIGNED_CERT_IN_CHAIN\)/,
    ],
    [
      'a Redis of caches',
      () => ({ CACHE_REDIS_URL: stores.redisUrl }),
      /^fail cache redis connection: the certificate of localhost:\d+ is not accepted/,
    ],
    [
      'a cluster',
      () => ({ ...clusterAt('127.0.0.1'), REDIS_TLS: 'true' }),
      /^fail redis connection: the certificate of 127.* is not accepted \(SELF_SIGNED_CERT_IN_CHAIN\)/,
    ],
    [
      'MySQL',
      () => ({ DATABASE_URL: stores.mysqlUrl, DB_TLS: 'true' }),
      /^fail mysql connection: the certificate of localhost:\d+ is not accepted/,
    ],
    [
      'Redis, without TLS where it is spoken',
      () => ({ REDIS_URL: changed(stores.redisUrl, (url) => (url.protocol = 'redis:')) }),
      /^fail redis connection: localhost:\d+ closes the connection at once/,
    ],
    [
      'a cluster, without TLS where it is spoken',
      () => clusterAt('127.0.0.1'),
      /^fail redis connection: 127.* closes the connection at once/,
    ],
    [
      'Redis, with TLS where it is not spoken',
      () => ({ REDIS_URL: changed(stores.redisUrl, (url) => (url.port = String(stores.redisPlainPort))) }),
      /^fail redis connection: no answer from localhost:\d+ in time/,
    ],
    [
      'MySQL, without TLS where it is asked for',
      () => ({ DATABASE_URL: stores.mysqlUrl }),
      /^fail mysql connection: localhost:\d+ (takes TLS connections only|refuses the user or the password)/,
    ],
  ])('%s', async (_what, changes, finding) => {
    const { exitCode, amiss, text } = await doctor.examine(changes());
    expect(exitCode).toBe(1);
    expect(amiss).toEqual([expect.stringMatching(finding)]);
    expect(text).not.toContain('a-word');
  });
});

/** What a fleet finds amiss with these variables. */
async function failures(changes: Environment): Promise<string[]> {
  return (await doctor.examine(changes)).amiss.filter((finding) => finding.startsWith('fail '));
}

describe('with the authority', () => {
  const known = getCACertificates('default');
  beforeAll(() => trustAuthorities({ NODE_EXTRA_CA_CERTS: stores.files.authority }));
  afterAll(() => setDefaultCACertificates(known));

  test('all is well, by URLs and by single variables, on a server and on a cluster', async () => {
    const [redis, mysql] = [new URL(stores.redisUrl), new URL(stores.mysqlUrl)];
    const schema = /^fail mysql schema: migrations have not been run/;
    const byUrl = await failures({
      REDIS_URL: stores.redisUrl,
      CACHE_REDIS_URL: stores.redisUrl,
      DATABASE_URL: `${stores.mysqlUrl}?ssl-mode=VERIFY_IDENTITY`,
    });
    expect(byUrl).toEqual([expect.stringMatching(schema)]);
    const byVariables = await failures({
      REDIS_URL: '',
      REDIS_HOST: redis.hostname,
      REDIS_PORT: redis.port,
      REDIS_USERNAME: redis.username,
      REDIS_PASSWORD: redis.password,
      REDIS_TLS: 'true',
      DATABASE_URL: '',
      DB_HOST: mysql.hostname,
      DB_PORT: mysql.port,
      DB_NAME: 'presage',
      DB_USER: mysql.username,
      DB_PASSWORD: mysql.password,
      DB_TLS: 'true',
    });
    expect(byVariables).toEqual([expect.stringMatching(schema)]);
    expect(await failures({ ...clusterAt('localhost'), REDIS_TLS: 'true' })).toEqual([]);
  });

  test('a wrong password', async () => {
    const wrong = changed(stores.redisUrl, (url) => (url.password = 'wrong-word'));
    expect(await failures({ REDIS_URL: wrong })).toEqual([
      expect.stringMatching(/^fail redis connection: localhost:\d+ refuses the user or the password$/),
    ]);
    const ofCluster = { ...clusterAt('localhost'), REDIS_TLS: 'true', REDIS_PASSWORD: 'wrong-word' };
    expect(await failures(ofCluster)).toEqual([
      expect.stringMatching(/^fail redis connection: localhost:\d+, .* refuses the user or the password$/),
    ]);
  });

  test('a host that the certificate does not name', async () => {
    const elsewhere = changed(stores.redisUrl, (url) => (url.hostname = '127.0.0.1'));
    expect(await failures({ REDIS_URL: elsewhere })).toEqual([
      expect.stringMatching(/is not accepted \(ERR_TLS_CERT_ALTNAME_INVALID\)$/),
    ]);
    await stores.certifyMysql(['elsewhere.example']);
    try {
      expect(await failures({ DATABASE_URL: stores.mysqlUrl, DB_TLS: 'true' })).toEqual([
        expect.stringMatching(/^fail mysql connection: the certificate of localhost:\d+ is not accepted/),
      ]);
    } finally {
      await stores.certifyMysql(['localhost']);
    }
  });

  test('a file .env may name it, for a process that has not heard of it from Node.js', async () => {
    const { REDIS_URL: _inTheFile, ...environment } = doctor.environment;
    const run = async (authority: string) => {
      const lines = [`NODE_EXTRA_CA_CERTS=${authority}`, `REDIS_URL=${stores.redisUrl}`, ''];
      await writeFile(path.join(room.directory, '.env'), lines.join('\n'));
      return await runPresageProcess(['queues', '--json'], environment, room.directory);
    };
    // A process on a busy machine may take longer than Redis is waited for.
    await until(async () => (await run(stores.files.authority)).exitCode === 0);
    expect(await run('/nowhere.pem')).toMatchObject({
      exitCode: 1,
      messages: expect.stringContaining('NODE_EXTRA_CA_CERTS: names no file of PEM certificates') as unknown,
    });
  });
});
