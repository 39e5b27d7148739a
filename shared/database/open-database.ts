import { Kysely, MysqlDialect, sql, type MysqlPool, type MysqlQueryResult } from 'kysely';
import { createPool, type Pool, type PoolConnection } from 'mysql2';
import type { DatabaseSettings } from '../config/database-settings.ts';
import { errorCode, isConnectionError } from '../errors/classify.ts';
import { StoreUnavailableError } from '../errors/job-error.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import { mysqlProblem } from './mysql-problem.ts';
import { quoteLongText } from './quote-long-text.ts';
import type { Tables } from './tables.ts';

export interface Database extends AsyncDisposable {
  db: Kysely<Tables>;
  /** Whether the server answers; never throws. */
  isUp(): Promise<boolean>;
}

const defaultConnectTimeoutMs = 10_000;
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

export interface DatabaseOptions {
  /** How long it may take to connect until that counts as an outage. */
  connectTimeoutMs?: number;
  /** How long one query may take until that counts as an outage. */
  queryTimeoutMs?: number;
  /** Is told once when no connection can be made, with the reason, and when one can be made again. */
  log?: Logger | undefined;
}

/**
 * Opens a pool; connects with the first query. Every query that meets an outage throws StoreUnavailableError: one for
 * which no connection can be made, whatever the reason, or whose connection is lost.
 */
export function openDatabase(
  settings: DatabaseSettings,
  {
    connectTimeoutMs = defaultConnectTimeoutMs,
    queryTimeoutMs = defaultQueryTimeoutMs,
    log,
  }: DatabaseOptions = {},
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
    // Without `verifyIdentity` a certificate for any other host would do.
    ...(settings.tls ? { ssl: { rejectUnauthorized: true, verifyIdentity: true } } : {}),
  });
  const watched = reportOutages(pool, queryTimeoutMs, watchConnecting(settings, log));
  const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: watched }) });
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

/** Told how each attempt to get a connection ended: with an error, or with null. */
type ConnectingWatch = (error: Error | null) => void;

function watchConnecting(settings: DatabaseSettings, log: Logger | undefined): ConnectingWatch {
  let away = false;
  return (error) => {
    if (error && !away) {
      const { finding, mend } = mysqlProblem(error, settings);
      log?.warn({ err: error, finding, mend }, 'MySQL is away; every query tries again');
    } else if (!error && away) {
      log?.info('MySQL is back');
    }
    away = error !== null;
  };
}

/** Wraps the driver's pool so that outages arrive as StoreUnavailableError and no query waits for ever. */
function reportOutages(pool: Pool, queryTimeoutMs: number, connecting: ConnectingWatch): MysqlPool {
  return {
    getConnection(callback) {
      pool.getConnection((error, connection) => {
        connecting(error);
        // A password or a certificate that is refused is an outage too: no job is to blame for it.
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
