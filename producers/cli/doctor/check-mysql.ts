import type { DatabaseSettings } from '../../../shared/config/database-settings.ts';
import { inspectSchema } from '../../../shared/database/inspect-schema.ts';
import { inspectServer, type DatabaseServer } from '../../../shared/database/inspect-server.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { errorCode } from '../../../shared/errors/classify.ts';
import { StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { checkClock } from './check-clock.ts';
import { judgeSchema } from './judge-schema.ts';
import { connectionProblem, type ConnectionProblem } from './connection-problem.ts';
import { reporterFor, type Finding } from './finding.ts';
import { isAtLeast } from './is-at-least.ts';

const report = reporterFor('mysql');
const queryTimeoutMs = 2_000;
const oldestVersions = { MySQL: [8, 4], MariaDB: [10, 11] } as const;
/** The ledger groups rows into statements of up to 8 MiB; one large job alone may need twice that. */
const smallestPacketMebibytes = 16;

/** The MySQL or MariaDB of the ledger, and its schema. */
export async function checkMysql(settings: DatabaseSettings): Promise<Finding[]> {
  await using database = openDatabase({ ...settings, poolSize: 1 }, { queryTimeoutMs });
  let server: DatabaseServer;
  try {
    server = await inspectServer(database.db);
  } catch (error) {
    const { finding, mend } = mysqlProblem(error, settings);
    return [report.fail('connection', finding, mend)];
  }
  const findings = judgeServer(server, `${settings.host}:${settings.port}`);
  try {
    return [...findings, ...judgeSchema(await inspectSchema(database.db))];
  } catch (error) {
    const { finding, mend } = mysqlProblem(error, settings);
    return [...findings, report.fail('schema', `it cannot be read: ${finding}`, mend)];
  }
}

function judgeServer(server: DatabaseServer, address: string): Finding[] {
  const product = /mariadb/i.test(server.version) ? 'MariaDB' : 'MySQL';
  // MariaDB may put a version that old clients understand before its own.
  const version = server.version.replace(/^5\.5\.5-(?=\d+\.\d+\.\d+-MariaDB)/i, '');
  const oldest = oldestVersions[product];
  const packetMebibytes = server.maxAllowedPacketBytes / 1024 / 1024;
  return [
    server.isReadOnly
      ? report.fail('connection', `${address} is read-only, as replicas are`, 'Name the primary instead.')
      : report.ok('connection', `${address} answers`),
    isAtLeast(version, oldest)
      ? report.ok('version', `${product} ${version}`)
      : report.fail(
          'version',
          `${product} ${version} is too old`,
          `Use ${product} ${oldest.join('.')} or newer.`,
        ),
    packetMebibytes >= smallestPacketMebibytes
      ? report.ok('packet', `max_allowed_packet is ${packetMebibytes} MiB`)
      : report.fail(
          'packet',
          `max_allowed_packet is ${packetMebibytes} MiB: large jobs are refused`,
          `Set max_allowed_packet to ${smallestPacketMebibytes} MiB or more (64 MiB is usual).`,
        ),
    server.flushLogAtCommit === 1
      ? report.ok('durability', 'a commit is on disk before it is acknowledged')
      : report.warn(
          'durability',
          `innodb_flush_log_at_trx_commit is ${server.flushLogAtCommit}: jobs accepted in the last second are lost when the machine fails`,
          'Set innodb_flush_log_at_trx_commit to 1.',
        ),
    checkClock(report, server.clockAheadMs),
  ];
}

function mysqlProblem(error: unknown, settings: DatabaseSettings): ConnectionProblem {
  const cause = error instanceof StoreUnavailableError ? error.cause : error;
  const address = `${settings.host}:${settings.port}`;
  const code = errorCode(cause) ?? '';
  switch (code) {
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR':
    case 'ER_HOST_NOT_PRIVILEGED':
    case 'AUTH_SWITCH_PLUGIN_ERROR':
      return {
        finding: `${address} refuses the user or the password (${code})`,
        mend: 'Correct the user and password in DATABASE_URL, or DB_USER and DB_PASSWORD.',
      };
    case 'ER_BAD_DB_ERROR':
      return {
        finding: `${address} has no database of the configured name`,
        mend: 'Create it (CREATE DATABASE … CHARACTER SET utf8mb4), or correct DATABASE_URL or DB_NAME.',
      };
    case 'ER_DBACCESS_DENIED_ERROR':
    case 'ER_TABLEACCESS_DENIED_ERROR':
      return {
        finding: `the user may not use the configured database at ${address} (${code})`,
        mend: 'GRANT ALL PRIVILEGES ON it TO the user, or correct DATABASE_URL or DB_NAME.',
      };
    case 'ER_CON_COUNT_ERROR':
    case 'ER_TOO_MANY_USER_CONNECTIONS':
      return {
        finding: `${address} has no connection left (${code})`,
        mend: 'Raise max_connections, or lower DB_POOL_SIZE: each process takes up to so many.',
      };
    default:
      return connectionProblem(cause, {
        service: 'MySQL',
        address,
        variables: 'DATABASE_URL, or DB_HOST and DB_PORT',
        tls: settings.tls,
        tlsSetting: 'DB_TLS',
      });
  }
}
