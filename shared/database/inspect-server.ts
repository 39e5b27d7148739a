import { sql, type Kysely } from 'kysely';
import { z } from 'zod';
import { clockAheadMs } from '../clock/clock-ahead.ts';
import type { Tables } from './tables.ts';

/** What a MySQL or MariaDB server tells of itself. */
export interface DatabaseServer {
  /** `8.4.3`, `10.11.6-MariaDB-…` */
  version: string;
  /** The largest statement that it takes. */
  maxAllowedPacketBytes: number;
  isReadOnly: boolean;
  /** 1: a commit is on disk before it is acknowledged. */
  flushLogAtCommit: number;
  /** How far its clock is ahead of this machine's, in milliseconds. */
  clockAheadMs: number;
}

const rowSchema = z.object({
  version: z.string(),
  packetBytes: z.coerce.number(),
  readOnly: z.coerce.number(),
  flushLogAtCommit: z.coerce.number(),
  nowSeconds: z.coerce.number(),
});

/** Its time zone is not asked for: instants go to it and come back in UTC, and it is never told to compute one. */
export async function inspectServer(db: Kysely<Tables>): Promise<DatabaseServer> {
  // The first query also connects: that would be taken for a difference of the clocks.
  await sql`select 1`.execute(db);
  const askedAtMs = Date.now();
  const { rows } = await sql`
    select version() as version, @@max_allowed_packet as packetBytes, @@global.read_only as readOnly,
      @@global.innodb_flush_log_at_trx_commit as flushLogAtCommit, unix_timestamp(now(6)) as nowSeconds`.execute(
    db,
  );
  const answeredAtMs = Date.now();
  const row = rowSchema.parse(rows[0]);
  return {
    version: row.version,
    maxAllowedPacketBytes: row.packetBytes,
    isReadOnly: row.readOnly !== 0,
    flushLogAtCommit: row.flushLogAtCommit,
    clockAheadMs: clockAheadMs(row.nowSeconds * 1_000, askedAtMs, answeredAtMs),
  };
}
