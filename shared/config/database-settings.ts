import { isIP } from 'node:net';
import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { flag, urlWithScheme, wholeNumber } from './setting-types.ts';

/** Where MySQL or MariaDB is and how many connections one process may hold. */
export interface DatabaseSettings {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  poolSize: number;
  /** Encrypted, with a certificate that Node.js accepts and that names the host. */
  tls: boolean;
}

/** What `ssl-mode` in a `DATABASE_URL` may say: whether TLS is used. Its certificate is always checked. */
const tlsByMode: ReadonlyMap<string, boolean> = new Map([
  ['DISABLED', false],
  ['REQUIRED', true],
  ['VERIFY_CA', true],
  ['VERIFY_IDENTITY', true],
]);

export const databaseSettings = settingGroup(
  z.object({
    DATABASE_URL: urlWithScheme(['mysql:', 'mariadb:']).optional(),
    DB_HOST: z.string().optional(),
    DB_PORT: wholeNumber(1, 65_535).default(3306),
    DB_NAME: z.string().optional(),
    DB_USER: z.string().optional(),
    DB_PASSWORD: z.string().optional(),
    DB_POOL_SIZE: wholeNumber(1, 1000).default(10),
    DB_TLS: flag.default(false),
  }),
  (values, report): DatabaseSettings => {
    const { DB_POOL_SIZE: poolSize, DB_TLS: tls } = values;
    function checkHost(variable: string, { host, tls: isOn }: Pick<DatabaseSettings, 'host' | 'tls'>): void {
      // The driver would compare the certificate with "localhost" instead (pinned by the test "the driver and addresses").
      if (isOn && isIP(host) !== 0) {
        report(variable, 'names an IP address: with TLS it must be the host name that the certificate names');
      }
    }
    if (values.DATABASE_URL) {
      const mode = new URL(values.DATABASE_URL).searchParams.get('ssl-mode');
      const tlsOfUrl = mode === null ? false : tlsByMode.get(mode.toUpperCase());
      if (tlsOfUrl === undefined) {
        report('DATABASE_URL', `has an ssl-mode that is none of ${[...tlsByMode.keys()].join(', ')}`);
      }
      const settings = { ...databaseFromUrl(values.DATABASE_URL), poolSize, tls: tls || tlsOfUrl === true };
      if (!settings.database) report('DATABASE_URL', 'names no database: end it with /name');
      checkHost('DATABASE_URL', settings);
      return settings;
    }
    if (!values.DB_HOST) {
      report(
        'DATABASE_URL',
        'not set: set DATABASE_URL, or DB_HOST, DB_NAME and DB_USER, or run `presage up` in this folder',
      );
    } else {
      if (!values.DB_NAME) report('DB_NAME', 'not set, but DB_HOST is');
      if (!values.DB_USER) report('DB_USER', 'not set, but DB_HOST is');
    }
    const settings = {
      host: values.DB_HOST ?? '',
      port: values.DB_PORT,
      database: values.DB_NAME ?? '',
      user: values.DB_USER ?? '',
      password: values.DB_PASSWORD ?? '',
      poolSize,
      tls,
    };
    checkHost('DB_HOST', settings);
    return settings;
  },
);

/** The parts of a `mysql://user:password@host:port/database` URL. */
export function databaseFromUrl(address: string): Omit<DatabaseSettings, 'poolSize' | 'tls'> {
  const url = new URL(address);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 3306),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}
