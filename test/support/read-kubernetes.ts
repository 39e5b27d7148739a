import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { root } from './source-files.ts';

export const kubernetesFolder = join(root, 'deploy/kubernetes');

const kustomizationSchema = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  namespace: z.string(),
  resources: z.array(z.string()),
  patches: z.array(z.strictObject({ path: z.string(), target: z.strictObject({ kind: z.string() }) })),
  configMapGenerator: z.array(z.strictObject({ name: z.string(), envs: z.array(z.string()) })),
  images: z.array(z.strictObject({ name: z.string(), newTag: z.string() })),
});

const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

export type Manifest = z.output<typeof manifestSchema>;

export interface KubernetesFolder {
  kustomization: z.output<typeof kustomizationSchema>;
  /** Every file beside the kustomization and its readme. */
  files: readonly string[];
  /** What is made of them: every document with its patches, and the file that it came from. */
  manifests: readonly { file: string; manifest: Manifest }[];
  /** The generated ConfigMap. */
  settings: Readonly<Record<string, string>>;
}

/** Reads `deploy/kubernetes` and merges its patches as kustomize does, for the few things that it uses. */
export function readKubernetes(): KubernetesFolder {
  const read = (file: string) => readFileSync(join(kubernetesFolder, file), 'utf8');
  const kustomization = kustomizationSchema.parse(parse(read('kustomization.yaml')));
  const patches = kustomization.patches.map(({ path, target }) => ({
    kind: target.kind,
    patch: manifestSchema.parse(parse(read(path))),
  }));
  const manifests = kustomization.resources.flatMap((file) =>
    parseAllDocuments(read(file)).map((document) => {
      const manifest = manifestSchema.parse(document.toJS());
      const { name } = manifest.metadata;
      const patched = patches
        .filter(({ kind }) => kind === manifest.kind)
        .reduce<unknown>((merged, { patch }) => merge(merged, patch), manifest);
      const whole = manifestSchema.parse(patched);
      return { file, manifest: { ...whole, metadata: { ...whole.metadata, name } } };
    }),
  );
  const lines = kustomization.configMapGenerator.flatMap(({ envs }) =>
    envs.flatMap((env) => read(env).split('\n')),
  );
  const settings = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  const files = readdirSync(kubernetesFolder).filter(
    (name) => name !== 'kustomization.yaml' && name !== 'README.md',
  );
  return { kustomization, files, manifests, settings: Object.fromEntries(settings) };
}

/** A strategic merge: maps key by key, lists of named things by name; all else is replaced. */
function merge(base: unknown, patch: unknown): unknown {
  if (isNamedList(base) && isNamedList(patch)) {
    const known = new Set(base.map(({ name }) => name));
    return [
      ...base.map((item) => {
        const change = patch.find(({ name }) => name === item.name);
        return change === undefined ? item : merge(item, change);
      }),
      ...patch.filter(({ name }) => !known.has(name)),
    ];
  }
  if (isMap(base) && isMap(patch)) {
    const merged = { ...base };
    for (const [key, value] of Object.entries(patch))
      merged[key] = key in base ? merge(base[key], value) : value;
    return merged;
  }
  return patch;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is ({ name: string } & Record<string, unknown>)[] {
  return Array.isArray(value) && value.every((item) => isMap(item) && typeof item['name'] === 'string');
}
