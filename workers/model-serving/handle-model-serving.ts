import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PayloadOf } from '../../shared/contracts/define-queue.ts';
import type { BulkPrediction, modelServing } from '../../shared/contracts/model-serving.ts';
import { classify } from '../../shared/errors/classify.ts';
import { JobError, MustWaitError } from '../../shared/errors/job-error.ts';
import type { ArtifactStore } from '../../shared/models/artifact-store.ts';
import type { ModelLease } from '../../shared/models/served-model.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import type { CheckRows, WhenMissing } from './check-rows.ts';
import type { ServedModels } from './open-served-models.ts';
import { toResultLine, type ResultLine } from './result-line.ts';
import { readRows, type GivenRow } from './read-rows.ts';
import { maxResultsBytes, readResults } from './read-results.ts';

/** So many rows are scored at once, so that requests which somebody waits for come in between. */
const rowsPerPiece = 1_024;
/** A model that is not loaded here is asked for again so soon, in milliseconds. */
const notReadyWaitMs = 5_000;

export interface ModelServingDependencies {
  models: Pick<ServedModels, 'get' | 'isKnown' | 'refresh'>;
  /** Where the files of rows are. */
  rows: Pick<ArtifactStore, 'read'>;
  /** Where the results go. */
  results: Pick<ArtifactStore, 'read' | 'write'>;
}

/**
 * Scores many rows of one model by one of its versions, into a file with a line for each. A run that finds the file of
 * an earlier one answers what that one has found out, whatever is loaded now.
 *
 * @throws MustWaitError while the model is not loaded here; StoreUnavailableError; JobError `permanent` with the codes
 *   `MODEL_UNKNOWN`, `ROWS_MISSING`, `ROWS_EMPTY`, `ROWS_TOO_LARGE`; what the model throws; made of the signal's
 *   reason when that is aborted
 */
export async function handleModelServing(
  payload: PayloadOf<typeof modelServing>,
  context: JobContext,
  { models, rows: source, results }: ModelServingDependencies,
): Promise<BulkPrediction> {
  const { model_id: modelId, missing } = payload;
  const resultsKey = `predictions/${context.jobId}.ndjson`;
  if (context.mayHaveRunBefore) {
    const found = await readResults(results, resultsKey);
    if (found) return { model_id: modelId, ...found, results_key: resultsKey };
  }
  // One that was registered a moment ago may not have been heard of here.
  if (!models.get(modelId)) await models.refresh(modelId);
  const hosted = models.get(modelId);
  if (!hosted && models.isKnown()) {
    throw new JobError('permanent', 'No model of this id is registered', { code: 'MODEL_UNKNOWN' });
  }
  using lease = hosted?.served.acquire();
  if (!hosted || !lease) {
    throw new MustWaitError(`No version of the model ${modelId} is loaded`, {
      code: 'MODEL_NOT_READY',
      waitMs: notReadyWaitMs,
    });
  }
  const rows = await readRows(payload, source);
  const version = lease.manifest.version;
  const check = hosted.rowCheckOf(lease);
  const parts: Buffer[] = [];
  let [bytes, scored] = [0, 0];
  for (let first = 0; first < rows.count; first += rowsPerPiece) {
    if (context.signal.aborted) throw classify(context.signal.reason);
    const piece = rows.slice(first, first + rowsPerPiece);
    const lines = await scorePiece(piece, { first, version, lease, check, missing });
    scored += lines.filter((line) => !('error' in line)).length;
    const part = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    bytes += part.length;
    if (bytes > maxResultsBytes) throw tooLarge();
    parts.push(part);
    context.progress(Math.min(first + rowsPerPiece, rows.count), rows.count);
    await nextTurn();
  }
  await results.write(resultsKey, Buffer.concat(parts));
  return {
    model_id: modelId,
    model_version: version,
    rows: rows.count,
    scored,
    rejected: rows.count - scored,
    results_key: resultsKey,
  };
}

function tooLarge(): JobError {
  const message = `The results have more than ${maxResultsBytes} bytes: send the rows in several jobs`;
  return new JobError('permanent', message, { code: 'ROWS_TOO_LARGE' });
}

interface Piece {
  /** The place of its first row among all. */
  first: number;
  version: string;
  lease: Pick<ModelLease, 'scorePrepared'>;
  check: CheckRows;
  missing: WhenMissing;
}

async function scorePiece(rows: readonly GivenRow[], piece: Piece): Promise<ResultLine[]> {
  const { first, version, lease, check, missing } = piece;
  const usable = rows.filter((row) => row !== undefined);
  const { prepared } = check(usable, missing);
  const scores = usable.length === 0 ? [] : await lease.scorePrepared(prepared);
  let next = 0;
  return rows.map((row, place) => {
    const score = row === undefined ? undefined : scores[next];
    if (row !== undefined) next += 1;
    return toResultLine(first + place, version, score);
  });
}
