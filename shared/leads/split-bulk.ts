import { createHash } from 'node:crypto';
import type { z } from 'zod';
import {
  leadScoring,
  maxLeadsPerBatch,
  maxLeadsPerBulk,
  type LeadBulk,
  type LeadChunk,
} from '../contracts/lead-scoring.ts';
import { PayloadError } from '../queue/enqueue.ts';

/** A bulk that is ready to be accepted. */
export interface SplitBulk {
  payload: LeadBulk;
  /** The payloads of its chunks, as JSON text. */
  children: string[];
  /** SHA-256 of all its ids in their order, in hexadecimal. */
  bodyHash: string;
}

/** Longer texts than this are no ids, and would only take room; shorter ones are an error of their lead. */
const maxCharactersPerId = 65_536;
/** A chunk ends here however few ids it has, so that one statement can insert it. */
const maxCharactersPerChunk = 1024 * 1024;

const ofList = { path: [], origin: 'array', inclusive: true, input: undefined };

/**
 * Sorts ids into chunks, each id once, while they come in. Between two batches others have their turn.
 *
 * @param batches values as they came, of which every one must be a text
 * @throws PayloadError when there is none, one is no text or far too long, or there are too many; what `batches` throws
 */
export async function splitBulk(
  batches: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>,
): Promise<SplitBulk> {
  const hash = createHash('sha256');
  const children: string[] = [];
  const seen = new Set<string>();
  let [given, total, characters] = [0, 0, 0];
  let leadIds: string[] = [];

  function endChunk(): void {
    if (leadIds.length === 0) return;
    const chunk: LeadChunk = { lead_ids: leadIds, first_position: total };
    const text = JSON.stringify(chunk);
    children.push(text);
    hash.update(text);
    total += leadIds.length;
    leadIds = [];
    characters = 0;
  }

  for await (const batch of batches) {
    for (const id of batch) {
      checkId(id, given);
      given += 1;
      if (seen.has(id)) continue;
      seen.add(id);
      leadIds.push(id);
      characters += id.length;
      if (leadIds.length === maxLeadsPerBatch || characters >= maxCharactersPerChunk) endChunk();
    }
  }
  endChunk();
  if (given === 0) {
    throw refused({ ...ofList, code: 'too_small', minimum: 1, message: 'there must be one id at least' });
  }
  return { payload: { total, chunks: children.length }, children, bodyHash: hash.digest('hex') };
}

function checkId(id: unknown, place: number): asserts id is string {
  if (place === maxLeadsPerBulk) {
    const message = `there may be ${maxLeadsPerBulk.toLocaleString('en')} ids at most`;
    throw refused({ ...ofList, code: 'too_big', maximum: maxLeadsPerBulk, message });
  }
  if (typeof id === 'string' && id.length <= maxCharactersPerId) return;
  const message = typeof id === 'string' ? 'the text is too long' : 'must be a text';
  throw refused({ code: 'custom', path: [place], message, input: undefined });
}

function refused(issue: z.core.$ZodIssue): PayloadError {
  return new PayloadError(leadScoring.name, [issue]);
}
