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
  tls: boolean;
}

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
    if (values.DATABASE_URL) {
      const settings = { ...databaseFromUrl(values.DATABASE_URL), poolSize, tls };
      if (!settings.database) report('DATABASE_URL', 'names no database: end it with /name');
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
    return {
      host: values.DB_HOST ?? '',
      port: values.DB_PORT,
      database: values.DB_NAME ?? '',
      user: values.DB_USER ?? '',
      password: values.DB_PASSWORD ?? '',
      poolSize,
      tls,
    };
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
