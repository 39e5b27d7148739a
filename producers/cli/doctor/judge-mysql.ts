import type { DatabaseServer } from '../../../shared/database/inspect-server.ts';
import { checkClock } from './check-clock.ts';
import { reporterFor, type Finding } from './finding.ts';
import { isAtLeast } from './is-at-least.ts';

const report = reporterFor('mysql');
const oldestVersions = { MySQL: [8, 4], MariaDB: [10, 11] } as const;
/** The ledger groups rows into statements of up to 8 MiB; one large job alone may need twice that. */
const smallestPacketMebibytes = 16;

/** What the server tells of itself, judged by what the ledger needs. */
export function judgeMysql(server: DatabaseServer, address: string): Finding[] {
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
