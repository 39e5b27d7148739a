import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Environment } from '../config/read-settings.ts';
import serverPrograms from './server-programs.json' with { type: 'json' };
import { StackError } from './stack-error.ts';

/** A Redis or Valkey server. */
export interface RedisBinary {
  program: string;
  /**
   * What the program is to be called when it is started: Debian's `redis-check-rdb` is the server's own
   * binary and goes by its name.
   */
  programName: string;
}

/** A MariaDB or MySQL server. */
export interface DatabaseBinary {
  flavour: 'mariadb' | 'mysql';
  program: string;
  /** `major.minor`, for example `10.11`: data made by one series is not opened by another. */
  series: string;
  /** The program that makes MariaDB's system tables; MySQL's server makes its own. */
  installer: string | undefined;
}

/** A server that the machine lacks. The message says how to install it. */
export class MissingServerError extends StackError {
  constructor(what: string) {
    super(`${what} is not installed on this machine. Run \`npm run set-up\`: it installs it, or says how.`);
  }
}

/** @throws MissingServerError */
export function findRedisBinary(environment: Environment): RedisBinary {
  const program = findProgram(serverPrograms.redis, environment);
  if (!program) throw new MissingServerError('Redis (or Valkey)');
  return { program, programName: path.basename(program).replace(/-check-rdb$/, '-server') };
}

/** @throws MissingServerError */
export async function findDatabaseBinary(environment: Environment): Promise<DatabaseBinary> {
  const program = findProgram(serverPrograms.mysql, environment);
  if (!program) throw new MissingServerError('MariaDB (or MySQL)');
  const { stdout } = await promisify(execFile)(program, ['--no-defaults', '--version'], { timeout: 10_000 });
  const flavour = /mariadb/i.test(stdout) ? 'mariadb' : 'mysql';
  const series = /Ver (\d+\.\d+)\./.exec(stdout)?.[1];
  if (!series) throw new Error(`${program} does not tell its version: ${stdout.trim()}`);
  if (flavour === 'mysql') return { flavour, program, series, installer: undefined };
  const installer = findProgram(serverPrograms.installer, environment);
  if (!installer) throw new MissingServerError('mariadb-install-db');
  return { flavour, program, series, installer };
}

/** The first of these programs that exists, PATH before the usual folders. */
function findProgram(names: readonly string[], environment: Environment): string | undefined {
  const folders = [...(environment.PATH ?? '').split(path.delimiter), ...serverPrograms.folders];
  for (const name of names) {
    for (const folder of folders) {
      if (path.isAbsolute(folder) && isExecutable(path.join(folder, name))) return path.join(folder, name);
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
