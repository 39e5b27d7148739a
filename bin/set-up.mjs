// Makes a fresh clone ready to run: installs the npm packages (on Linux, Node.js itself is among them) and the
// server programs that the embedded stack starts. It is the first command on a new machine, so it is plain
// JavaScript without dependencies for the system's own Node.js 20 or newer. When nothing is missing it is quiet.

import { execFileSync, spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');
const programs = readJson(path.join(root, 'shared', 'embedded', 'server-programs.json'));
const configuredBy = readJson(path.join(root, 'shared', 'config', 'embedded-parts.json'));
const withBrowser = process.argv.includes('--browser'); // what the tests in a browser need besides
const programNames = { redis: 'Redis', mysql: 'MariaDB', ...(withBrowser ? { browser: 'Chromium' } : {}) };

/** What a person can mend: shown without a stack. */
class SetUpError extends Error {}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

// ---- npm packages ----

/**
 * Whether node_modules holds what package-lock.json names. npm writes its own record of what is installed as
 * its last step and deletes it as its first, so an interrupted installation has none.
 */
function packagesAreCurrent() {
  const record = path.join(modules, '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readJson(record).packages;
  const wanted = Object.entries(readJson(path.join(root, 'package-lock.json')).packages);
  return wanted.every(([location, { version, optional, devOptional }]) => {
    if (location === '') return true;
    const present = installed[location];
    return present ? present.version === version : optional === true || devOptional === true;
  });
}

async function installPackages() {
  const count = Object.keys(readJson(path.join(root, 'package-lock.json')).packages).length - 1;
  await run(`Installing the npm packages that package-lock.json names (at most ${count})`, [
    'npm',
    'ci',
    '--loglevel=error',
  ]).catch((error) => {
    throw new SetUpError(`${error.message}\nIs the npm registry reachable from here? Then try again.`);
  });
}

/** Linux gets the right Node.js as an npm package; elsewhere the system's has to be new enough. */
function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (existsSync(path.join(modules, '.bin', 'node')) || major > 24 || (major === 24 && minor >= 9)) return;
  const isMac = process.platform === 'darwin';
  throw new SetUpError(
    `Presage needs Node.js 24.9 or newer; this is ${process.versions.node}, and there is none for ` +
      `${process.platform} ${process.arch} among the npm packages. ` +
      `Install a newer one${isMac ? ' (for example: brew install node)' : ''} and try again.`,
  );
}

/** npm scripts and npx find the command as if this package were installed somewhere. */
function linkCommand() {
  const link = path.join(modules, '.bin', 'presage');
  if (existsSync(link)) return;
  rmSync(link, { force: true });
  symlinkSync(path.join('..', '..', 'bin', 'presage'), link);
}

// ---- server programs ----

function isInstalled(names) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...programs.folders];
  return names.some((name) => folders.some((folder) => isExecutable(path.join(folder, name))));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return path.isAbsolute(file) && statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Which programs this machine lacks: `redis`, `mysql`, `browser`. */
function missingPrograms() {
  return Object.keys(programNames).filter((program) => !isInstalled(programs[program]));
}

/** The commands that install the programs here, or what to tell a person when we cannot. */
function installation(missing) {
  const packagesFor = (tool) => missing.flatMap((program) => programs.packages[tool][program]);
  if (process.platform === 'darwin') {
    const commands = [['brew', 'install', ...packagesFor('brew')]];
    const allowed = isInstalled(['brew']);
    return { commands, allowed, byHand: commands[0].join(' ') + (allowed ? '' : '   # https://brew.sh') };
  }
  if (!isInstalled(['apt-get'])) {
    return {
      commands: [],
      allowed: false,
      byHand: `sudo dnf install -y redis mariadb-server${withBrowser ? ' chromium' : ''}   # or as your system does it`,
    };
  }
  const isRoot = process.getuid() === 0;
  const update = ['apt-get', 'update'];
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packagesFor('apt-get')];
  const sudo = isRoot ? [] : ['sudo', '-n'];
  // The timeout: another apt may be at work, on a new machine often does.
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  return {
    commands: [
      [...sudo, ...update],
      [...sudo, ...quietly, ...install, '-o', 'DPkg::Lock::Timeout=300'],
    ],
    allowed: isRoot || succeeds(['sudo', '-n', 'true']),
    byHand: [update, install]
      .map((command) => [...(isRoot ? [] : ['sudo']), ...command].join(' '))
      .join(' && '),
  };
}

async function installPrograms(missing) {
  const names = missing.map((program) => programNames[program]).join(' and ');
  const { commands, allowed, byHand } = installation(missing);
  if (!allowed) {
    const configured = (program) =>
      configuredBy[program]?.some((name) => process.env[name] || process.env[`${name}_FILE`]);
    if (missing.every(configured)) return; // `up` uses those; only the tests would need servers of their own
    throw new SetUpError(
      `Not installed on this machine: ${names}. Install with this command, then try again:\n\n  ${byHand}`,
    );
  }
  say(`Not installed on this machine: ${names}. These packages bring the programs and start no service.`);
  const failures = [];
  for (const command of commands) {
    // Package lists that could not be renewed are no obstacle when the old ones still serve.
    await run(`Running ${command.join(' ')}`, command).catch((error) => failures.push(error.message));
  }
  if (missingPrograms().length > 0) {
    throw new SetUpError(
      [...failures, `${names} could not be installed. By hand:\n\n  ${byHand}`].join('\n'),
    );
  }
}

// ---- running commands, one set-up at a time ----

function succeeds([program, ...args]) {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs a command with its progress on standard error; its own output is shown only when it fails. */
async function run(title, [program, ...args]) {
  const startedAt = Date.now();
  const elapsed = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  const isTerminal = process.stderr.isTTY;
  say(`${title} …`);
  const ticker = setInterval(
    () => process.stderr.write(isTerminal ? `\r  ${elapsed()} ` : `  still at it after ${elapsed()}\n`),
    isTerminal ? 1_000 : 10_000,
  );
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => child.kill('SIGTERM');
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-20_000);
    });
  }
  const failure = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  clearInterval(ticker);
  process.off('SIGTERM', stop);
  process.off('SIGINT', stop);
  if (isTerminal) process.stderr.write('\r');
  if (failure)
    throw new SetUpError(
      `${output.trimEnd()}\n${[program, ...args].join(' ')} failed after ${elapsed()}: ${failure}`,
    );
  say(`  done in ${elapsed()}`);
}

/**
 * Waits until no other set-up of this user is at work on this machine. The lock is a symbolic link, because making one is
 * atomic and it names its owner: the lock of a process that is gone counts for nothing.
 */
async function takeLock(lock) {
  let told = false;
  for (;;) {
    try {
      symlinkSync(String(process.pid), lock);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = ownerOf(lock);
    if (owner !== undefined && !isAlive(owner)) rmSync(lock, { force: true });
    else if (!told) say(`Waiting for another set-up on this machine (process ${owner ?? 'unknown'}) …`);
    told = true;
    await delay(200);
  }
}

function ownerOf(lock) {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return undefined; // given back in this moment
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // it is another user's
  }
}

function isComplete() {
  return packagesAreCurrent() && missingPrograms().length === 0;
}

async function installWhatIsMissing() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new SetUpError(`Presage's set-up needs Node.js 20 or newer; this is ${process.versions.node}.`);
  }
  if (process.platform !== 'linux') requireNode(); // known at once, before anything is installed
  if (isComplete()) return;
  const lock = path.join(os.tmpdir(), `presage-set-up-${os.userInfo().uid}.lock`);
  await takeLock(lock);
  try {
    const missing = missingPrograms();
    if (missing.length > 0) await installPrograms(missing);
    if (!packagesAreCurrent()) await installPackages();
  } finally {
    rmSync(lock, { force: true });
  }
}

try {
  await installWhatIsMissing();
  requireNode();
  linkCommand();
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
