import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { ProblemError } from '../../shared/http/problem.ts';

export const maxBulkBytes = 64 * 1024 * 1024;

const idsPerBatch = 2_000;
/** A line that is longer holds no id. */
const maxCharactersPerLine = 1024 * 1024;

const lineSchema = z.object({ lead_id: z.unknown() });

/**
 * The ids of a body as they come in, batch by batch: of NDJSON with each piece of the body, each line a text or an
 * object with a `lead_id`; of JSON when all of it is there, because only then it can be parsed. The stream is not
 * destroyed when something is wrong with it, so that its sender can be told.
 *
 * @throws ProblemError 400, 413 or 422
 */
export async function* readLeadIds(body: Readable, isNdjson: boolean): AsyncGenerator<readonly unknown[]> {
  if (isNdjson) yield* linesOf(piecesOf(body));
  else yield* batchesOf(await parseJson(piecesOf(body)));
}

async function* piecesOf(body: Readable): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of body.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(piece)) throw new Error('a body must come as bytes');
    bytes += piece.byteLength;
    if (bytes > maxBulkBytes) throw new ProblemError('PAYLOAD_TOO_LARGE', 'The body is larger than 64 MiB.');
    yield piece;
  }
}

async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<readonly unknown[]> {
  const decoder = new TextDecoder();
  let line = 1;
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxCharactersPerLine)
      throw new ProblemError('VALIDATION_ERROR', `Line ${line + lines.length} is too long.`);
    yield valuesOf(lines, line);
    line += lines.length;
  }
  yield valuesOf([rest + decoder.decode()], line);
}

function valuesOf(lines: readonly string[], firstLine: number): unknown[] {
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [valueOf(line, firstLine + index)]));
}

function valueOf(line: string, number: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ProblemError('INVALID_JSON', `Line ${number} cannot be parsed as JSON.`);
  }
  return typeof value === 'string' ? value : lineSchema.safeParse(value).data?.lead_id;
}

async function parseJson(pieces: AsyncIterable<Buffer>): Promise<readonly unknown[]> {
  const collected: Buffer[] = [];
  for await (const piece of pieces) collected.push(piece);
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(collected).toString());
  } catch {
    throw new ProblemError('INVALID_JSON', 'The body cannot be parsed as JSON.');
  }
  const ids = idsIn(body);
  if (ids) return ids;
  const problem = { pointer: '#/lead_ids', detail: 'must be an array of ids, unless the whole body is one' };
  throw new ProblemError('VALIDATION_ERROR', `${problem.pointer}: ${problem.detail}`, { errors: [problem] });
}

function idsIn(body: unknown): readonly unknown[] | undefined {
  if (isList(body)) return body;
  if (typeof body !== 'object' || body === null || !('lead_ids' in body)) return undefined;
  return isList(body.lead_ids) ? body.lead_ids : undefined;
}

/** By hand: a schema would go through all of it at once. */
function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

async function* batchesOf(ids: readonly unknown[]): AsyncGenerator<readonly unknown[]> {
  for (let start = 0; start < ids.length; start += idsPerBatch) {
    yield ids.slice(start, start + idsPerBatch);
    await nextTurn();
  }
}
