import type { DatabaseSettings } from '../config/database-settings.ts';
import { errorCode } from '../errors/classify.ts';
import { connectionProblem, type ConnectionProblem } from '../errors/connection-problem.ts';
import { StoreUnavailableError } from '../errors/job-error.ts';

/** What it means that MySQL could not be connected to or asked. */
export function mysqlProblem(error: unknown, settings: DatabaseSettings): ConnectionProblem {
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
        mend:
          'Correct the user and password in DATABASE_URL, or DB_USER and DB_PASSWORD.' +
          // MariaDB answers so to an account that may come with TLS only.
          (settings.tls ? '' : ' An account that asks for TLS (REQUIRE SSL) needs DB_TLS=true.'),
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
    case 'ER_SECURE_TRANSPORT_REQUIRED':
      return {
        finding: `${address} takes TLS connections only`,
        mend: 'Set DB_TLS=true, and let Node.js know its authority (NODE_EXTRA_CA_CERTS) if that is your own.',
      };
    case 'HANDSHAKE_SSL_ERROR':
      // The driver's one code for all that can go wrong with TLS; it has replaced the code of Node.js.
      return {
        finding: `the certificate of ${address} is not accepted (${code})`,
        mend:
          'Let Node.js know its authority (NODE_EXTRA_CA_CERTS), and use the host name that it names in ' +
          'DATABASE_URL or DB_HOST.',
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
