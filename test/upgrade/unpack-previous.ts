import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Upgraded from while there is no release. */
const revisionBeforeTheFirstRelease = '83f0396';

export const root = join(import.meta.dirname, '../..');

function git(...argumentsOfGit: string[]): string {
  return execFileSync('git', argumentsOfGit, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** The newest release before what is tested, or the revision above. */
export function previousRevision(): string {
  const [newest] = git('tag', '--list', 'v*', '--sort=-v:refname', '--no-contains', 'HEAD').split('\n');
  return newest || revisionBeforeTheFirstRelease;
}

/**
 * Unpacks the project as it was at a revision, ready to be run. Nothing of the repository is changed.
 *
 * @throws Error, of one sentence, where the revision is not in the clone
 */
export function unpackPrevious(revision: string, directory: string): void {
  try {
    git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`);
  } catch {
    throw new Error(
      `The revision ${revision} is not in this clone's history: fetch it (git fetch --tags --unshallow), or name another one.`,
    );
  }
  mkdirSync(directory);
  const archive = join(directory, 'presage.tar');
  git('archive', '--format=tar', `--output=${archive}`, revision);
  execFileSync('tar', ['-xf', archive], { cwd: directory });
  if (
    readFileSync(join(directory, 'package-lock.json'), 'utf8') ===
    readFileSync(join(root, 'package-lock.json'), 'utf8')
  ) {
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  } else {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
}
