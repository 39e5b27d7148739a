import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache');
const cachedProgram = join(cache, 'promtool');

/**
 * Prometheus's own tool: the machine's, or the one of Debian's package, which is fetched and unpacked but not installed:
 * the package would start a server.
 *
 * @throws Error that says what to do by hand
 */
export function findPromtool(): string {
  if (runs('promtool', ['--version'])) return 'promtool';
  if (!existsSync(cachedProgram)) fetchPackage();
  return cachedProgram;
}

function runs(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function fetchPackage(): void {
  const byHand =
    process.platform === 'darwin'
      ? 'brew install prometheus'
      : 'put promtool of https://prometheus.io/download/#prometheus on the PATH';
  if (!runs('apt-get', ['--version']) || !runs('dpkg', ['--version'])) {
    throw new Error(`There is no promtool on this machine. To have it: ${byHand}`);
  }
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'promtool-'));
  try {
    process.stderr.write("Fetching promtool: Debian's package prometheus, unpacked and not installed\n");
    if (!download(directory)) {
      // The package lists may be missing, or too old.
      if (process.getuid?.() === 0) runs('apt-get', ['update']);
      else runs('sudo', ['-n', 'apt-get', 'update']);
      if (!download(directory)) throw new Error(`promtool could not be fetched. By hand: ${byHand}`);
    }
    const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.deb'));
    const contents = join(directory, 'contents');
    execFileSync('dpkg', ['-x', join(directory, name), contents]);
    renameSync(join(contents, 'usr/bin/promtool'), cachedProgram);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function download(directory: string): boolean {
  return spawnSync('apt-get', ['download', 'prometheus'], { cwd: directory, stdio: 'ignore' }).status === 0;
}
