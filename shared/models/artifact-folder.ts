import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { v4 as uuid } from 'uuid';
import { errorCode } from '../errors/classify.ts';
import { ArtifactTooLargeError, artifactsMissing, requireKey, requirePrefix } from './artifact-failure.ts';
import { folderFailure } from './artifact-folder-failure.ts';
import type { ArtifactStore } from './artifact-store.ts';

/** A file that is being written. Its name is no key. */
const unfinishedPattern = /^\.[0-9a-f-]{36}\.unfinished$/;

const nothingCodes: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);
/**
 * The artifacts in a folder of this machine.
 *
 * @param directory an absolute path
 */
export function openArtifactFolder(directory: string): ArtifactStore {
  const { href: url } = pathToFileURL(directory);
  const pathOf = (key: string) => path.join(directory, ...key.split('/'));

  /** @throws JobError as `ArtifactStore` says */
  async function attempt<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      throw folderFailure(url, error);
    }
  }

  /** Runs what may find nothing: that is no failure as long as the folder itself is there. */
  async function orNothing<Value, Nothing>(
    work: () => Promise<Value>,
    nothing: Nothing,
  ): Promise<Value | Nothing> {
    return attempt(async () => {
      try {
        return await work();
      } catch (error) {
        if (!nothingCodes.has(errorCode(error))) throw error;
        await requireFolder();
        return nothing;
      }
    });
  }

  async function isFolder(): Promise<boolean> {
    try {
      return (await stat(directory)).isDirectory();
    } catch (error) {
      if (nothingCodes.has(errorCode(error))) return false;
      throw error;
    }
  }

  async function requireFolder(): Promise<void> {
    if (!(await isFolder())) throw artifactsMissing(url);
  }

  return {
    url,

    async read(key, { maxBytes }) {
      requireKey(key);
      return orNothing(async () => {
        await using file = await open(pathOf(key), 'r');
        const found = await file.stat();
        if (!found.isFile()) return undefined;
        if (found.size > maxBytes) throw new ArtifactTooLargeError(key, maxBytes);
        return await file.readFile();
      }, undefined);
    },

    async write(key, bytes) {
      requireKey(key);
      await attempt(async () => {
        await requireFolder();
        const target = pathOf(key);
        const folder = path.dirname(target);
        await mkdir(folder, { recursive: true });
        const unfinished = path.join(folder, `.${uuid()}.unfinished`);
        try {
          await writeDurably(unfinished, bytes);
          await rename(unfinished, target);
        } catch (error) {
          await rm(unfinished, { force: true });
          throw error;
        }
      });
    },

    async list(prefix) {
      requirePrefix(prefix);
      const names = await orNothing(async () => {
        const entries = await readdir(pathOf(prefix), { recursive: true, withFileTypes: true });
        return entries
          .filter((entry) => !entry.isDirectory() && !unfinishedPattern.test(entry.name))
          .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
      }, []);
      return names.map((name) => name.split(path.sep).join('/')).sort();
    },

    prepare() {
      return attempt(async () => {
        const isThere = await isFolder();
        if (!isThere) await mkdir(directory, { recursive: true });
        return !isThere;
      });
    },

    exists: () => attempt(isFolder),

    [Symbol.dispose]() {},
  };
}

/** Writes a file so that it is whole after a power cut, too. */
async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, 'wx');
  await handle.writeFile(bytes);
  await handle.sync();
}
