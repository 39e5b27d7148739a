import { judgeMysql } from '../../../../../producers/cli/doctor/judge-mysql.ts';
import type { DatabaseServer } from '../../../../../shared/database/inspect-server.ts';

const good: DatabaseServer = {
  version: '8.4.3',
  maxAllowedPacketBytes: 64 * 1024 * 1024,
  isReadOnly: false,
  flushLogAtCommit: 1,
  clockAheadMs: 0,
};

function amiss(server: DatabaseServer): string[] {
  return judgeMysql(server, 'mysql:3306')
    .filter(({ state }) => state !== 'ok')
    .map(({ state, check, finding }) => `${state} ${check}: ${finding}`);
}

test.each(['8.4.3', '9.1.0', '10.11.6-MariaDB-0+deb12u1', '11.4.2-MariaDB', '5.5.5-10.11.6-MariaDB-log'])(
  '%s is new enough',
  (version) => {
    expect(amiss({ ...good, version })).toEqual([]);
  },
);

test.each(['8.0.40', '5.7.44-log', '10.6.20-MariaDB', '5.5.5-10.5.1-MariaDB', 'unknown'])(
  '%s is too old',
  (version) => {
    expect(amiss({ ...good, version })).toEqual([expect.stringMatching(/^fail version: .* is too old$/)]);
  },
);

test.each<[Partial<DatabaseServer>, RegExp]>([
  [{ maxAllowedPacketBytes: 4 * 1024 * 1024 }, /^fail packet: max_allowed_packet is 4 MiB: /],
  [{ isReadOnly: true }, /^fail connection: mysql:3306 is read-only/],
  [{ flushLogAtCommit: 2 }, /^warn durability: innodb_flush_log_at_trx_commit is 2: /],
  [{ clockAheadMs: 5_000 }, /^warn clock: its clock is 5\.0 s ahead of this machine's$/],
])('%j', (difference, line) => {
  expect(amiss({ ...good, ...difference })).toEqual([expect.stringMatching(line)]);
});
