import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Manifest } from './read-kubernetes.ts';
import { root } from './source-files.ts';

const packages = join(root, 'node_modules');
const definitionSchema = z.custom<new (manifest: unknown) => { validate(): void }>(
  (value) => typeof value === 'function',
);

/** Where the published definition of its kind is: in the package of Kubernetes itself, or of KEDA. */
function definitionOf({ apiVersion, kind }: Manifest): string {
  const places = ['kubernetes-models', '@kubernetes-models/keda'].map(
    (name) => `${name}/${apiVersion}/${kind}`,
  );
  const found = places.find((place) => existsSync(join(packages, `${place}.js`)));
  if (found === undefined) throw new Error(`no package defines ${apiVersion} ${kind}`);
  return found;
}

/** What the published JSON schema of its kind says against a manifest; `undefined`: nothing. */
export async function schemaProblem(manifest: Manifest): Promise<string | undefined> {
  // By its path: Jest asks as `require` does, and the packages answer `import` only.
  const exported: unknown = await import(join(packages, `${definitionOf(manifest)}.js`));
  const definitions = new Map<string, unknown>(Object.entries(exported ?? {}));
  const Definition = definitionSchema.parse(definitions.get(manifest.kind));
  try {
    new Definition(manifest).validate();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/**
 * What the published types say against the manifests, one line each. The schemas let a misspelt field pass, because
 * newer versions of Kubernetes may have more; the types name every field that there is.
 */
export async function typeProblems(manifests: readonly Manifest[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'presage-manifests-'));
  try {
    await symlink(packages, join(directory, 'node_modules'));
    const lines = manifests.map(
      (manifest, index) =>
        `import type { I${manifest.kind} as Kind${index} } from '${definitionOf(manifest)}';\n` +
        `export const manifest${index}: Kind${index} = ${JSON.stringify(manifest)};\n`,
    );
    await writeFile(join(directory, 'manifests.mts'), lines.join(''));
    const options = ['--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--module', 'nodenext'];
    return await outputOf(
      join(packages, '.bin/tsc'),
      [...options, '--types', '', 'manifests.mts'],
      directory,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
}

function outputOf(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // The compiler says what is wrong on standard output, and exits with a number then.
  execFile(program, args, { cwd }, (error, stdout) => {
    if (error && typeof error.code !== 'number') reject(error);
    else resolve(stdout);
  });
  return promise;
}
