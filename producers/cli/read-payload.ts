import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { callTimePrediction } from '../../shared/contracts/call-time-prediction.ts';
import { leadScoring } from '../../shared/contracts/lead-scoring.ts';
import type { CliContext } from './cli-context.ts';
import { contactsFromCsv } from './contacts-from-csv.ts';
import { leadIdsFromText } from './lead-ids-from-text.ts';
import { CommandFailed, UsageError } from './usage-error.ts';

export interface PayloadSource {
  file?: string;
  json?: string;
  /** Read standard input. */
  standardInput: boolean;
}

/** Reads a job's payload as the caller gave it; what it must look like is its queue's business. */
export async function readPayload(
  queue: string,
  source: PayloadSource,
  { input, workingDirectory }: Pick<CliContext, 'input' | 'workingDirectory'>,
): Promise<unknown> {
  const given = [source.file !== undefined, source.json !== undefined, source.standardInput];
  if (given.filter(Boolean).length !== 1) {
    throw new UsageError('Give the payload once: --file F, --json J, or - for standard input.');
  }
  if (source.json !== undefined) return fromJson(queue, parseJson(source.json, '--json'));
  const content =
    source.file === undefined ? await text(input) : await readInput(resolve(workingDirectory, source.file));
  const name = source.file ?? 'standard input';
  const looksLikeJson = /^\s*[[{]/.test(content);
  const isCsv = source.file !== undefined && extname(source.file).toLowerCase() === '.csv';
  if (queue === callTimePrediction.name && (isCsv || !looksLikeJson)) return contactsFromCsv(content, name);
  if (queue === leadScoring.name && !looksLikeJson) return leadIdsFromText(content, { name, isCsv });
  return fromJson(queue, parseJson(content, name));
}

/** Leads may also be given as a list of their ids. */
function fromJson(queue: string, value: unknown): unknown {
  return queue === leadScoring.name && Array.isArray(value) ? { lead_ids: value } : value;
}

async function readInput(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `The file ${path} cannot be read: ${error instanceof Error ? error.message : 'unknown'}.`,
    );
  }
}

function parseJson(content: string, name: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    throw new CommandFailed(`${name} is not JSON.`);
  }
}
