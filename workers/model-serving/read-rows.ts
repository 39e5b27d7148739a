import type { PayloadOf } from '../../shared/contracts/define-queue.ts';
import { featureRowSchema, type modelServing } from '../../shared/contracts/model-serving.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import { ArtifactTooLargeError } from '../../shared/models/artifact-failure.ts';
import type { ArtifactStore } from '../../shared/models/artifact-store.ts';
import type { FeatureRow } from '../../shared/models/prepare-features.ts';

/** A row, or `undefined` for a line that is none. */
export type GivenRow = FeatureRow | undefined;

/** The rows of a job, in their order. */
export interface GivenRows {
  count: number;
  /** Those from `first` to the one before `end`; lines are parsed only now. */
  slice(first: number, end: number): readonly GivenRow[];
}

/** A file of rows has no more bytes: it is held in memory. */
const maxRowsBytes = 64 * 1024 * 1024;
/** Nor more rows: a short line is no small answer. */
export const maxRowsPerFile = 500_000;

/**
 * The rows of a job, from its payload or from the file that it names: NDJSON, in which empty lines count for nothing.
 *
 * @throws JobError `permanent` with the codes `ROWS_MISSING`, `ROWS_EMPTY`, `ROWS_TOO_LARGE`; what the store throws
 */
export async function readRows(
  { rows = [], rows_key: key }: Pick<PayloadOf<typeof modelServing>, 'rows' | 'rows_key'>,
  store: Pick<ArtifactStore, 'read'>,
): Promise<GivenRows> {
  if (key === undefined) return { count: rows.length, slice: (first, end) => rows.slice(first, end) };
  const lines = linesOf(await readFile(key, store));
  if (lines.length === 0) {
    throw new JobError('permanent', 'The file under rows_key has no rows', { code: 'ROWS_EMPTY' });
  }
  return { count: lines.length, slice: (first, end) => lines.slice(first, end).map(parseRow) };
}

async function readFile(key: string, store: Pick<ArtifactStore, 'read'>): Promise<Uint8Array> {
  try {
    const bytes = await store.read(key, { maxBytes: maxRowsBytes });
    if (bytes) return bytes;
  } catch (error) {
    if (!(error instanceof ArtifactTooLargeError)) throw error;
    throw tooLarge(`The file of rows has more than ${maxRowsBytes} bytes`, error);
  }
  throw new JobError('permanent', 'There is no file under rows_key', { code: 'ROWS_MISSING' });
}

function linesOf(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes);
  const lines: string[] = [];
  for (let from = 0; from < text.length;) {
    const next = text.indexOf('\n', from);
    const end = next === -1 ? text.length : next;
    const line = text.slice(from, end).trim();
    if (line !== '') lines.push(line);
    if (lines.length > maxRowsPerFile)
      throw tooLarge(`The file of rows has more than ${maxRowsPerFile} rows`);
    from = end + 1;
  }
  return lines;
}

function tooLarge(problem: string, cause?: unknown): JobError {
  return new JobError('permanent', `${problem}: send it in several jobs`, { code: 'ROWS_TOO_LARGE', cause });
}

function parseRow(line: string): GivenRow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return featureRowSchema.safeParse(value).data;
}
