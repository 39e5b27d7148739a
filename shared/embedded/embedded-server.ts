import type { Environment } from '../config/read-settings.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Guard } from './open-guard.ts';
import type { SupervisedChild } from './supervise.ts';

export interface EmbeddedServerOptions {
  /**
   * Where the data, the settings and the log are kept. What is there is used again, also the port if it is
   * still free.
   */
  directory: string;
  /** Where programs are looked for (`PATH`). */
  environment: Environment;
  guard: Guard;
  logger: Logger;
  onReady?: () => void;
}

/**
 * A private server on the loopback interface, a child of this process. It is started again when it ends by
 * itself; after `stop` only `start` brings it back. Always the same address, password and data.
 */
export interface EmbeddedServer extends SupervisedChild {
  /** Holds user and password where the server has them; usable as it is. */
  readonly url: string;
}

/** What a server sees of our environment: nothing that is secret, and no locale that it might not know. */
export function serverEnvironment(environment: Environment): Environment {
  return { PATH: environment.PATH, TMPDIR: environment.TMPDIR, LC_ALL: 'C' };
}
