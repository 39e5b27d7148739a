import { ManifestError, parseManifest } from '../../shared/models/parse-manifest.ts';

/** Any part of a manifest, so that a test can put in what no manifest may have. */
export interface ManifestPart {
  [key: string]: ManifestPart;
}

export function problemsOf(content: string | Uint8Array): readonly string[] {
  try {
    parseManifest(typeof content === 'string' ? new TextEncoder().encode(content) : content);
    return [];
  } catch (error) {
    if (error instanceof ManifestError) return error.problems;
    throw error;
  }
}

/** What is wrong with a manifest after one change. */
export function problemsAfter(bytes: Buffer, change: (manifest: ManifestPart) => void): readonly string[] {
  const manifest = JSON.parse(bytes.toString()) as ManifestPart;
  change(manifest);
  return problemsOf(JSON.stringify(manifest));
}

/** Sets what lies at a path such as `runtime/file` or `feature_columns/0/min`; `undefined` takes it away. */
export function setPart(fields: string, value: unknown) {
  return (manifest: ManifestPart) => {
    const names = fields.split('/');
    const last = names.pop() ?? '';
    const part = names.reduce<ManifestPart>((within, name) => within[name] as ManifestPart, manifest);
    if (value === undefined) delete part[last];
    else part[last] = value as ManifestPart;
  };
}
