import { z } from 'zod';
import { manifestSchema, type Manifest } from './manifest.ts';

/** A manifest has no more bytes: most of them are vocabularies and golden inputs. */
export const maxManifestBytes = 16 * 1024 * 1024;

const problemsNamed = 20;

/** A manifest is no manifest: each problem names its field. */
export class ManifestError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The manifest is not usable: ${problems.join('; ')}`);
    this.name = 'ManifestError';
    this.problems = problems;
  }
}

/** @throws ManifestError */
export function parseManifest(bytes: Uint8Array): Manifest {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ManifestError(['is not JSON in UTF-8']);
  }
  const parsed = manifestSchema.safeParse(content, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(describeIssue);
  const more = problems.length - problemsNamed;
  throw new ManifestError(
    more > 0 ? [...problems.slice(0, problemsNamed), `and ${more} more problems`] : problems,
  );
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${nameOf([...issue.path, key])}: is not known`);
  }
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return [`${nameOf(issue.path)}: is missing`];
  }
  return [`${nameOf(issue.path)}: ${issue.message}`];
}

/** As a program would write it: `feature_columns[3].vocabulary`, `golden.cases[0].input["emp.var.rate"]`. */
function nameOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the manifest';
  return path
    .map((part, depth) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[A-Za-z_]\w*$/.test(String(part))) return `[${JSON.stringify(String(part))}]`;
      return depth === 0 ? String(part) : `.${String(part)}`;
    })
    .join('');
}
