import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const project = path.join(import.meta.dirname, '../..');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'presage-test-'));
  await Promise.all(['bin', 'programs', 'servers', 'tmp'].map((folder) => mkdir(path.join(root, folder))));
  await cp(path.join(project, 'bin/set-up.mjs'), path.join(root, 'bin/set-up.mjs'));
  await cp(
    path.join(project, 'shared/config/embedded-parts.json'),
    path.join(root, 'shared/config/embedded-parts.json'),
  );
  await mkdir(path.join(root, 'shared/embedded'), { recursive: true });
  const packages = { redis: ['redis-package'], mysql: ['mysql-package'], browser: ['browser-package'] };
  await writeJson('shared/embedded/server-programs.json', {
    folders: [path.join(root, 'servers')],
    redis: ['test-redis'],
    mysql: ['test-mysql'],
    browser: ['test-browser'],
    installer: [],
    packages: { 'apt-get': packages, brew: packages },
  });
  await writeLock('1.0.0');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(path.join(root, file), JSON.stringify(value));
}

async function writeLock(version: string): Promise<void> {
  await writeJson('package-lock.json', {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/one': { version },
      'node_modules/for-another-system': { version, optional: true },
    },
  });
}

/** Puts a shell script on the PATH of the set-up; it notes how it was called. */
async function fakeProgram(name: string, script: string): Promise<void> {
  const note = `echo "${name} $*" >> "${root}/calls"`;
  await writeFile(path.join(root, 'programs', name), `#!/bin/sh\n${note}\n${script}\n`, { mode: 0o755 });
}

/** A machine on which everything can be installed. */
async function fakeMachine(): Promise<void> {
  const installServers = `cd "${root}/servers" && case "$*" in *install*) touch test-redis test-mysql && chmod +x *;; esac`;
  await fakeProgram('apt-get', installServers);
  await fakeProgram('brew', installServers);
  await fakeProgram('sudo', 'shift; exec "$@"');
  await fakeProgram(
    'npm',
    `PATH=/usr/bin:/bin; cd "${root}" && rm -rf node_modules && mkdir -p node_modules/.bin && touch node_modules/.bin/node && cp package-lock.json node_modules/.package-lock.json`,
  );
}

async function setUp(environment: Record<string, string> = {}, options: readonly string[] = []) {
  const child = spawn(process.execPath, [path.join(root, 'bin/set-up.mjs'), ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: `${root}/programs:/usr/bin:/bin`, TMPDIR: path.join(root, 'tmp'), ...environment },
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(stdout).toBe('');
  return { exitCode: child.exitCode, stderr };
}

async function calls(program: string): Promise<string[]> {
  const all = existsSync(`${root}/calls`) ? (await readFile(`${root}/calls`, 'utf8')).split('\n') : [];
  return all.filter((call) => call.startsWith(`${program} `));
}

test('a fresh machine gets what is missing; a second run has nothing to say', async () => {
  await fakeMachine();
  const first = await setUp();
  expect(first.stderr).toContain('Not installed on this machine: Redis and MariaDB.');
  expect(first.stderr).toContain('Installing the npm packages');
  expect(first.exitCode).toBe(0);
  expect(await calls('npm')).toEqual(['npm ci --loglevel=error']);
  expect(await readlink(path.join(root, 'node_modules/.bin/presage'))).toBe('../../bin/presage');
  expect(await setUp()).toEqual({ exitCode: 0, stderr: '' });
  expect(await calls('npm')).toHaveLength(1);
});

test('the browser is installed only where it is asked for', async () => {
  await fakeMachine();
  await setUp();
  await fakeProgram('apt-get', `cd "${root}/servers" && touch test-browser && chmod +x test-browser`);
  await fakeProgram('brew', `cd "${root}/servers" && touch test-browser && chmod +x test-browser`);
  const { exitCode, stderr } = await setUp({}, ['--browser']);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('Not installed on this machine: Chromium.');
  expect(stderr).toMatch(/install .*browser-package/);
  expect(await setUp({}, ['--browser'])).toEqual({ exitCode: 0, stderr: '' });
});

test('packages are installed again after an interruption and when the lock file has changed', async () => {
  await fakeMachine();
  await setUp();
  await rm(path.join(root, 'node_modules/.package-lock.json'));
  await setUp();
  expect(await calls('npm')).toHaveLength(2);
  await writeLock('2.0.0');
  await setUp();
  expect(await calls('npm')).toHaveLength(3);
});

test('two at once install once', async () => {
  await fakeMachine();
  const results = await Promise.all([setUp(), setUp()]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await calls('npm')).toHaveLength(1);
});

test('the lock of a set-up that was killed is ignored', async () => {
  await fakeMachine();
  await symlink(String(2 ** 22 + 1), path.join(root, 'tmp', `presage-set-up-${process.getuid?.()}.lock`));
  expect((await setUp()).exitCode).toBe(0);
});

test('what fails is shown with its own output and with what to do', async () => {
  await fakeMachine();
  await fakeProgram('npm', 'echo "registry does not answer" >&2; exit 7');
  const { exitCode, stderr } = await setUp();
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /registry does not answer\nnpm ci --loglevel=error failed after \d+ s: exit code 7\n/,
  );
  expect(stderr).not.toContain('at async');
});

test('servers that cannot be installed: one command to run', async () => {
  await fakeMachine();
  await fakeProgram('apt-get', 'echo "E: no such package"; exit 100');
  await fakeProgram('brew', 'echo "Error: no such package"; exit 1');
  const { exitCode, stderr } = await setUp();
  expect(exitCode).toBe(1);
  expect(stderr).toContain('no such package');
  expect(stderr).toMatch(/By hand:\n\n {2}.*install.* redis-package mysql-package\n/);
});

test('a machine that lets us install nothing may use the servers that its environment names', async () => {
  await fakeMachine();
  await Promise.all(['apt-get', 'brew'].map((name) => rm(path.join(root, 'programs', name))));
  const environment = { PATH: path.join(root, 'programs') };
  const refused = await setUp(environment);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(
    'Not installed on this machine: Redis and MariaDB. Install with this command',
  );
  expect(await setUp({ ...environment, REDIS_URL: 'redis://redis.example' })).toMatchObject({ exitCode: 1 });
  const elsewhere = { REDIS_URL: 'redis://redis.example', DATABASE_URL_FILE: '/run/secrets/database' };
  expect(await setUp({ ...environment, ...elsewhere })).toMatchObject({ exitCode: 0 });
});
