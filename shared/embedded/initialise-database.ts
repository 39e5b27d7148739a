import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { serverEnvironment, type EmbeddedServerOptions } from './embedded-server.ts';
import type { DatabaseBinary } from './find-server-binaries.ts';
import { lastLines } from './last-lines.ts';
import { StackError } from './stack-error.ts';

export interface InitialiseOptions extends Pick<EmbeddedServerOptions, 'environment' | 'guard'> {
  binary: DatabaseBinary;
  dataDirectory: string;
  logFile: string;
}

/** Makes the system tables, unless the data folder is there already. An interrupted attempt leaves none. */
export async function initialiseDatabase(options: InitialiseOptions): Promise<void> {
  const { dataDirectory, guard, logFile } = options;
  if (existsSync(dataDirectory)) return;
  const unfinished = `${dataDirectory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });

  const [program, ...programArguments] = initialiseCommand(options.binary, unfinished);
  await using log = await open(logFile, 'w', 0o600);
  const child = spawn(program, programArguments, {
    env: { ...serverEnvironment(options.environment) },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = once(child, 'exit');
  if (child.pid !== undefined) guard.watch(child.pid, 'server');
  await ended;
  if (child.pid !== undefined) guard.forget(child.pid);
  if (child.exitCode !== 0) {
    const reason = child.signalCode ?? `exit code ${child.exitCode}`;
    throw new StackError(
      `The database's system tables could not be made (${reason}).\n${lastLines(logFile)}`,
    );
  }
  await rename(unfinished, dataDirectory);
}

function initialiseCommand(binary: DatabaseBinary, dataDirectory: string): [string, ...string[]] {
  // Servers refuse to run as root unless they are told to. `loose`, because mariadb-install-db would
  // understand a plain --user as an order to change the owner of files outside the data folder too.
  const user = process.getuid?.() === 0 ? ['--loose-user=root'] : [];
  if (binary.installer === undefined) {
    return [binary.program, '--no-defaults', '--initialize-insecure', `--datadir=${dataDirectory}`, ...user];
  }
  return [
    binary.installer,
    '--no-defaults',
    `--datadir=${dataDirectory}`,
    // root exists, but only for the system's root user on the server's own socket.
    '--auth-root-authentication-method=socket',
    '--auth-root-socket-user=root',
    '--skip-test-db',
    // Does not matter here: whether this machine's own host name can be looked up.
    '--force',
    ...user,
  ];
}
