import { Kysely, MysqlDialect, sql, type MysqlPool, type MysqlQueryResult } from 'kysely';
import { createPool, type Pool, type PoolConnection } from 'mysql2';
import type { DatabaseSettings } from '../config/database-settings.ts';
import { errorCode, isConnectionError } from '../errors/classify.ts';
import { StoreUnavailableError } from '../errors/job-error.ts';
import { quoteLongText } from './quote-long-text.ts';
import type { Tables } from './tables.ts';

export interface Database extends AsyncDisposable {
  db: Kysely<Tables>;
  /** Whether the server answers; never throws. */
  isUp(): Promise<boolean>;
}

const connectTimeoutMs = 3_000;
const defaultQueryTimeoutMs = 20_000;

/** Driver and server codes that say "MySQL is away", beside Node's connection errors. */
const outageCodes: ReadonlySet<string> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_QUERY_INTERRUPTED',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_CONNECTION_KILLED',
  // After a failover the old primary only reads: the connection is given up, and the next one finds the new primary.
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_READ_ONLY_MODE',
  // Nothing can be written until somebody makes room.
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
]);

/**
 * Opens a pool; connects with the first query. Every query that meets an outage, or for which no connection can be made,
 * throws StoreUnavailableError.
 *
 * @param options.queryTimeoutMs how long one query may take until that counts as an outage
 */
export function openDatabase(
  settings: DatabaseSettings,
  { queryTimeoutMs = defaultQueryTimeoutMs }: { queryTimeoutMs?: number } = {},
): Database {
  const pool = createPool({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password,
    database: settings.database,
    connectionLimit: settings.poolSize,
    connectTimeout: connectTimeoutMs,
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    ...(settings.tls ? { ssl: { rejectUnauthorized: true } } : {}),
  });
  const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: reportOutages(pool, queryTimeoutMs) }) });
  return {
    db,
    async isUp() {
      try {
        await sql`select 1`.execute(db);
        return true;
      } catch {
        return false;
      }
    },
    async [Symbol.asyncDispose]() {
      await db.destroy();
    },
  };
}

export function isOutage(error: unknown): boolean {
  return (
    error instanceof StoreUnavailableError ||
    isConnectionError(error) ||
    outageCodes.has(errorCode(error) ?? '')
  );
}

/** Wraps the driver's pool so that outages arrive as StoreUnavailableError and no query waits for ever. */
function reportOutages(pool: Pool, queryTimeoutMs: number): MysqlPool {
  return {
    getConnection(callback) {
      pool.getConnection((error, connection) => {
        // Whatever the reason: a password that was changed must not cost the jobs their attempts.
        if (error) failed(callback, new StoreUnavailableError('mysql', error));
        else callback(undefined, boundedConnection(connection, queryTimeoutMs));
      });
    },
    end(callback) {
      pool.end((error) => callback(error ?? undefined));
    },
  };
}

// Kysely's callback types ask for a connection and a result even beside an error, where there is none.
function failed(callback: (error: unknown, ...none: never[]) => void, error: unknown): void {
  callback(error);
}

type KyselyConnection = Parameters<Parameters<MysqlPool['getConnection']>[0]>[1];

function boundedConnection(connection: PoolConnection, queryTimeoutMs: number): KyselyConnection {
  let lost = false;
  return {
    config: connection.config,
    threadId: connection.threadId ?? 0,
    connect: (callback) => callback?.(undefined),
    destroy: () => connection.destroy(),
    query(statement, parameters: unknown[], callback) {
      return connection.query(
        { sql: statement, values: parameters.map(quoteLongText), timeout: queryTimeoutMs },
        (error, result) => {
          const outage = error !== null && (lost || isOutage(error));
          // At once: the rollback that follows would wait for the statement that does not end.
          if (outage && !lost) connection.destroy();
          lost ||= outage;
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Kysely's name for mysql2's own result
          callback?.(outage ? new StoreUnavailableError('mysql', error) : error, result as MysqlQueryResult);
        },
      );
    },
    release() {
      if (!lost) connection.release();
    },
  };
}
