import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openArtifactFolder } from '../../../shared/models/artifact-folder.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'presage-artifacts-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const bytes = new TextEncoder().encode('content');

test('what is being written is no artifact yet, and a write that fails leaves nothing behind', async () => {
  using folder = openArtifactFolder(directory);
  const unfinished = '.0b0b0b0b-0000-4000-8000-000000000000.unfinished';
  await writeFile(path.join(directory, unfinished), 'half of i');
  expect(await folder.list('')).toEqual([]);
  // A folder is in the way.
  await mkdir(path.join(directory, 'taken', 'inside'), { recursive: true });
  await expect(folder.write('taken', bytes)).rejects.toMatchObject({ code: 'ARTIFACTS_FAILED' });
  expect(await readdir(directory)).toEqual([unfinished, 'taken']);
});

test('files that are no keys are listed all the same, so that they are noticed', async () => {
  using folder = openArtifactFolder(directory);
  await writeFile(path.join(directory, '.DS_Store'), '');
  await writeFile(path.join(directory, 'my notes.txt'), '');
  await symlink('/etc/hostname', path.join(directory, 'link'));
  expect(await folder.list('')).toEqual(['.DS_Store', 'link', 'my notes.txt']);
});

test('a file that stands where the folder should be is no store', async () => {
  const file = path.join(directory, 'file');
  await writeFile(file, '');
  using folder = openArtifactFolder(file);
  expect(await folder.exists()).toBe(false);
  await expect(folder.list('')).rejects.toMatchObject({ code: 'ARTIFACTS_MISSING' });
  await expect(folder.prepare()).rejects.toMatchObject({ code: 'ARTIFACTS_FAILED' });
  expect((await stat(file)).isFile()).toBe(true);
});
