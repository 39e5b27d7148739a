import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { databaseFromUrl } from '../../shared/config/database-settings.ts';
import { openDatabase } from '../../shared/database/open-database.ts';
import { startOnFreePort } from '../../shared/embedded/find-free-port.ts';
import { findDatabaseBinary, type DatabaseBinary } from '../../shared/embedded/find-server-binaries.ts';
import { makeTlsFiles, type TlsFiles } from './make-tls-files.ts';
import { openPrivateServers } from './open-private-servers.ts';

/** A Redis and a MySQL or MariaDB whose certificate names `localhost`, of an authority that nobody knows. */
export interface SecuredStores extends AsyncDisposable {
  files: TlsFiles;
  /** `rediss:`, with a user who may do no more than the fleet needs. */
  redisUrl: string;
  /** The port of the same Redis where it speaks no TLS. */
  redisPlainPort: number;
  /** `mysql:`, without a word about TLS. Without it nobody is let in. */
  mysqlUrl: string;
  /** From now on MySQL's certificate names these hosts instead. */
  certifyMysql(hosts: readonly string[]): Promise<void>;
}

/** All that a user of Redis needs to be allowed: no other keys and channels, and of what is dangerous only INFO. */
const fleetUser = [
  'on',
  '>a-word',
  '~{presage:*',
  '~presage:*',
  '~ml:*',
  '&presage:*',
  '+@all',
  '-@dangerous',
  '+info',
];

export async function openSecuredStores(): Promise<SecuredStores> {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-tls-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const files = await makeTlsFiles(path.join(directory, 'redis'), ['localhost']);
  const mysqlFolder = path.join(directory, 'mysql');
  const mysqlFiles = await makeTlsFiles(mysqlFolder, ['localhost'], files.issuer);
  const environment = { ...process.env, PATH: `${directory}:${process.env['PATH']}` };
  const flavour = await putBeforeDatabase(directory, mysqlFiles);
  const servers = resources.use(await openPrivateServers(environment));
  const [redis, mysql] = await Promise.all([servers.startRedis(), servers.startMysql()]);
  const tlsPort = await secureRedis(redis.url, files);
  // A connection from before TLS was asked for stays.
  const { db } = resources.use(openDatabase({ ...databaseFromUrl(mysql.url), poolSize: 1, tls: false }));
  await sql.raw("alter user 'presage'@'127.0.0.1' require ssl").execute(db);
  await sql.raw('set global require_secure_transport = on').execute(db);

  const mysqlUrl = new URL(mysql.url);
  mysqlUrl.hostname = 'localhost';
  const owned = resources.move();
  return {
    files,
    redisUrl: `rediss://fleet:a-word@localhost:${tlsPort}`,
    redisPlainPort: Number(new URL(redis.url).port),
    mysqlUrl: mysqlUrl.href,
    async certifyMysql(hosts) {
      await makeTlsFiles(mysqlFolder, hosts, files.issuer);
      await sql.raw(flavour === 'mariadb' ? 'flush ssl' : 'alter instance reload tls').execute(db);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * The embedded servers know no TLS: a program of the same name, which is found first, starts the real one with it.
 * Answers which one that is.
 */
async function putBeforeDatabase(
  directory: string,
  { certificate, key }: TlsFiles,
): Promise<DatabaseBinary['flavour']> {
  const { program, flavour } = await findDatabaseBinary(process.env);
  const script = `#!/bin/sh\nexec ${program} "$@" --ssl-cert=${certificate} --ssl-key=${key}\n`;
  await writeFile(path.join(directory, path.basename(program)), script, { mode: 0o755 });
  return flavour;
}

/** Answers the port on which it speaks TLS from now on. */
async function secureRedis(url: string, { authority, certificate, key }: TlsFiles): Promise<number> {
  const redis = new Redis(url);
  try {
    await redis.call('ACL', 'SETUSER', 'fleet', ...fleetUser);
    for (const [name, value] of [
      ['tls-cert-file', certificate],
      ['tls-key-file', key],
      ['tls-ca-cert-file', authority],
      ['tls-auth-clients', 'no'],
    ] as const) {
      await redis.config('SET', name, value);
    }
    return await startOnFreePort(undefined, async (port) => {
      await redis.config('SET', 'tls-port', port);
      return port;
    });
  } finally {
    redis.disconnect();
  }
}
