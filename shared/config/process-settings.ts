import { z } from 'zod';
import { isLoopback } from '../http-access/is-loopback.ts';
import { accessSettings, accessVariables, type AccessSettings } from './access-variables.ts';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What every process of the fleet reads. */
export interface ProcessSettings {
  logLevel: (typeof logLevels)[number];
  /** The address that the process's HTTP server listens on. */
  host: string;
  /** Port of the health server; 0 means any free one. */
  healthPort: number;
  /** How long a process may take to stop, in milliseconds. */
  shutdownGraceMs: number;
  access: AccessSettings;
}

export const processSettings = settingGroup(
  z.object({
    LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
    HOST: z.string().default('127.0.0.1'),
    HEALTH_PORT: wholeNumber(0, 65_535).default(0),
    SHUTDOWN_GRACE_MS: wholeNumber(100, 3_600_000).default(25_000),
    ...accessVariables,
  }),
  (values, report): ProcessSettings => {
    const access = accessSettings(values);
    if (!isLoopback(values.HOST) && access.keys.length === 0 && !access.trustedNetwork) {
      report(
        'HOST',
        'is not a loopback address, and no key is asked for: whoever reaches it could submit and read jobs. ' +
          'Set PRESAGE_API_KEYS, or leave HOST at 127.0.0.1, or set PRESAGE_TRUSTED_NETWORK=true where the ' +
          'network itself keeps strangers out',
      );
    }
    return {
      logLevel: values.LOG_LEVEL,
      host: values.HOST,
      healthPort: values.HEALTH_PORT,
      shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
      access,
    };
  },
);
