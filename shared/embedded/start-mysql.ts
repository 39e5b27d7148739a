import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { databaseFromUrl } from '../config/database-settings.ts';
import { openDatabase } from '../database/open-database.ts';
import type { ChildDefinition } from './child-definition.ts';
import { readDataSettings, writeDataSettings } from './data-settings-file.ts';
import { serverEnvironment, type EmbeddedServer, type EmbeddedServerOptions } from './embedded-server.ts';
import { findDatabaseBinary, type DatabaseBinary } from './find-server-binaries.ts';
import { startOnFreePort } from './find-free-port.ts';
import { initialiseDatabase } from './initialise-database.ts';
import { pollUntil } from './poll-until.ts';
import { StackError } from './stack-error.ts';
import { supervise } from './supervise.ts';

export interface MysqlOptions extends EmbeddedServerOptions {
  /** Whether the user may also make and use other databases than `presage`, as tests do. */
  mayCreateDatabases?: boolean;
}

/**
 * A private MariaDB or MySQL with a database and a user `presage`. Every commit is on disk before it is
 * acknowledged. Nobody can log in as root over TCP.
 *
 * @throws MissingServerError, ChildStartError, StackError when the data was made by another server or series
 */
export async function startMysql(mysqlOptions: MysqlOptions): Promise<EmbeddedServer> {
  const binary = await findDatabaseBinary(mysqlOptions.environment);
  const { directory } = mysqlOptions;
  // Temporary tables of its own: in a folder that they share, two servers have got in each other's way.
  const temporaryDirectory = path.join(directory, 'temporary');
  await mkdir(temporaryDirectory, { recursive: true, mode: 0o700 });
  const options = {
    ...mysqlOptions,
    environment: { ...mysqlOptions.environment, TMPDIR: temporaryDirectory },
  };
  const settings = await readDataSettings(directory);
  const madeBy = `${binary.flavour} ${binary.series}`;
  if (settings.madeBy !== undefined && settings.madeBy !== madeBy) {
    throw new StackError(
      `The data in ${directory} was made by ${settings.madeBy}, but this machine has ${madeBy}. ` +
        'Install that server again, or delete the folder to begin with an empty database.',
    );
  }
  const dataDirectory = path.join(directory, 'data');
  await initialiseDatabase({
    ...options,
    binary,
    dataDirectory,
    logFile: path.join(directory, 'initialise.log'),
  });
  await writeDataSettings(directory, { ...settings, madeBy });
  // A lock file that a power failure left may name a process that is something else by now.
  await rm(path.join(dataDirectory, 'mysql.sock.lock'), { force: true });

  const accountsFile = path.join(directory, 'accounts.sql');
  const scope = options.mayCreateDatabases ? '*.*' : 'presage.*';
  await writeFile(accountsFile, accountStatements(binary, settings.password, scope), { mode: 0o600 });

  return startOnFreePort(settings.port, async (port) => {
    await writeDataSettings(directory, { ...settings, madeBy, port });
    const url = `mysql://presage:${settings.password}@127.0.0.1:${port}/presage`;
    const definition: ChildDefinition<void> = {
      name: 'mysql',
      role: 'server',
      program: binary.program,
      arguments: [
        ...serverArguments(binary, port),
        `--datadir=${dataDirectory}`,
        `--secure-file-priv=${dataDirectory}`,
        `--init-file=${accountsFile}`,
      ],
      environment: serverEnvironment(options.environment),
      ipc: false,
      logFile: path.join(directory, 'mysql.log'),
      waitUntilReady: (_child, ended) => untilDatabaseAnswers(url, ended),
      readyTimeoutMs: 120_000,
      stopTimeoutMs: 20_000,
    };
    const child = supervise(definition, { ...options, policy: { firstStarts: 1 } });
    await child.start();
    return Object.assign(child, { url });
  });
}

function serverArguments(binary: DatabaseBinary, port: number): string[] {
  return [
    '--no-defaults',
    // Servers refuse to run as root unless they are told to.
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    // Relative to the data folder, because a socket's path may have at most 107 characters.
    '--socket=mysql.sock',
    '--pid-file=mysql.pid',
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--default-time-zone=+00:00',
    '--max-connections=300',
    '--max-allowed-packet=64M',
    '--innodb-flush-log-at-trx-commit=1',
    // Taken as it is needed. With less, 200,000 leads and their scores are read from disk again and again.
    '--innodb-buffer-pool-size=256M',
    '--performance-schema=OFF',
    '--skip-log-bin',
    ...(binary.flavour === 'mysql' ? ['--mysqlx=OFF'] : []),
  ];
}

/** Run by the server at each start, before it accepts connections; one statement a line. */
function accountStatements(binary: DatabaseBinary, password: string, scope: string): string {
  return [
    'CREATE DATABASE IF NOT EXISTS presage CHARACTER SET utf8mb4;',
    `CREATE USER IF NOT EXISTS 'presage'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON ${scope} TO 'presage'@'127.0.0.1';`,
    // MySQL makes a root without a password; MariaDB's can only log in as the system's root user.
    ...(binary.flavour === 'mysql' ? ["ALTER USER 'root'@'localhost' ACCOUNT LOCK;"] : []),
    '',
  ].join('\n');
}

/** Waits until the server lets our user in. */
async function untilDatabaseAnswers(url: string, ended: AbortSignal): Promise<void> {
  await using database = openDatabase({ ...databaseFromUrl(url), poolSize: 1, tls: false });
  await pollUntil(() => database.isUp(), ended);
}
