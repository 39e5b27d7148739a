import type { ArtifactStore } from './artifact-store.ts';
import { ArtifactTooLargeError } from './artifact-failure.ts';
import { fileProblem, sha256Of } from './file-problem.ts';
import { manifestFileName } from './manifest-fields.ts';
import type { Manifest } from './manifest.ts';
import { ManifestError, maxManifestBytes, parseManifest } from './parse-manifest.ts';

/** A model with all that belongs to it, as its manifest states it. */
export interface Bundle {
  manifest: Manifest;
  manifestBytes: Uint8Array;
  /** Of the manifest's bytes. */
  manifestSha256: string;
  /** Every file but the manifest, by name. */
  files: ReadonlyMap<string, Uint8Array>;
}

/** What is wrong with a file of a bundle. */
export interface BundleProblem {
  file: string;
  problem: string;
}

export type BundleCheck = { isSound: true; bundle: Bundle } | { isSound: false; problems: BundleProblem[] };

/** A manifest, with the bytes that its checksum is of. */
export type ManifestCheck =
  { isSound: true; manifest: Manifest; bytes: Uint8Array } | { isSound: false; problems: BundleProblem[] };

type Files = Pick<ArtifactStore, 'read' | 'list'>;

/**
 * Reads a bundle and checks it: the manifest is one, each of its files is there with the right bytes, and there is no
 * other file.
 *
 * @param prefix of the bundle's files in the store
 * @param expectedSha256 of the manifest's bytes: what the registry says of them
 * @throws what `ArtifactStore.read` throws
 */
export async function checkBundle(
  store: Files,
  prefix: string,
  expectedSha256?: string,
): Promise<BundleCheck> {
  const check = await checkManifest(store, prefix, expectedSha256);
  if (!check.isSound) return check;
  const { manifest, bytes: manifestBytes } = check;
  const problems: BundleProblem[] = [];
  const files = new Map<string, Uint8Array>();
  for (const [name, file] of Object.entries(manifest.files)) {
    const content = await readUpTo(store, `${prefix}${name}`, file.bytes);
    const problem =
      content === 'too-large'
        ? `has more bytes than the ${file.bytes} of the manifest`
        : fileProblem(content, file);
    if (problem !== undefined) problems.push({ file: name, problem });
    else if (content instanceof Uint8Array) files.set(name, content);
  }
  for (const key of await store.list(prefix)) {
    const name = key.slice(prefix.length);
    if (name !== manifestFileName && !Object.hasOwn(manifest.files, name)) {
      problems.push({ file: name, problem: 'is not in the manifest' });
    }
  }
  if (problems.length > 0) return { isSound: false, problems };
  return {
    isSound: true,
    bundle: { manifest, manifestBytes, manifestSha256: sha256Of(manifestBytes), files },
  };
}

/** Reads a bundle's manifest and checks that alone. Parameters and errors as those of `checkBundle`. */
export async function checkManifest(
  store: Files,
  prefix: string,
  expectedSha256?: string,
): Promise<ManifestCheck> {
  const bytes = await readUpTo(store, `${prefix}${manifestFileName}`, maxManifestBytes);
  if (bytes === undefined) return unusable('is missing');
  if (bytes === 'too-large') return unusable(`has more than ${maxManifestBytes} bytes`);
  const sha256 = sha256Of(bytes);
  // What it says is worth nothing then, so nothing of it is told.
  if (expectedSha256 !== undefined && sha256 !== expectedSha256) {
    return unusable(`has the SHA-256 ${sha256}, the registry says ${expectedSha256}`);
  }
  try {
    return { isSound: true, manifest: parseManifest(bytes), bytes };
  } catch (error) {
    if (error instanceof ManifestError) return unusable(...error.problems);
    throw error;
  }
}

function unusable(...problems: readonly string[]): ManifestCheck {
  return { isSound: false, problems: problems.map((problem) => ({ file: manifestFileName, problem })) };
}

async function readUpTo(
  store: Pick<ArtifactStore, 'read'>,
  key: string,
  maxBytes: number,
): Promise<Uint8Array | undefined | 'too-large'> {
  try {
    return await store.read(key, { maxBytes });
  } catch (error) {
    if (error instanceof ArtifactTooLargeError) return 'too-large';
    throw error;
  }
}
