import type { Insertable, Kysely, Transaction } from 'kysely';
import type { JobsTable } from '../database/jobs-table.ts';
import type { Tables } from '../database/tables.ts';
import { newRow, type NewJob } from './accept-jobs.ts';
import { toDispatchable, type DispatchableJob } from './dispatchable-job.ts';
import { claimKey, type ClaimedBefore, type IdempotencyKey } from './idempotent-accept.ts';

export interface JobWithChildren {
  /** Waits for its children from the start: only its finish step is ever run. */
  parent: Omit<NewJob, 'uniqueKey' | 'parentId' | 'childPosition'>;
  /** At least one, in their order. */
  childPayloads: Iterable<string>;
  /** Of the children, as they belong to the parent's queue. */
  childPriority: number;
}

export type AcceptedWithChildren =
  { kind: 'first'; jobId: string; children: DispatchableJob[] } | ClaimedBefore;

/** Of payloads, in characters; MariaDB takes a statement of up to 16 MiB, and a character is up to 3 bytes there. */
const maxCharactersPerStatement = 1024 * 1024;
const maxRowsPerStatement = 100;

/**
 * Accepts a job together with its children in one transaction, statement by statement: no more than one statement's rows
 * are held beside the payloads, and others have their turn after each.
 *
 * @param claim an idempotency key, with the SHA-256 of all that was sent
 */
export async function acceptWithChildren(
  db: Kysely<Tables>,
  { parent, childPayloads, childPriority }: JobWithChildren,
  claim?: IdempotencyKey & { bodyHash: string },
): Promise<AcceptedWithChildren> {
  const now = new Date();
  const parentRow = newRow(parent, now);
  const jobId = parentRow.id;
  return db.transaction().execute(async (transaction): Promise<AcceptedWithChildren> => {
    const before = claim && (await claimKey(transaction, { ...claim, queue: parent.queue, jobId, now }));
    if (before) return before;
    await transaction
      .insertInto('jobs')
      .values({ ...parentRow, phase: 'children' })
      .execute();
    const children: DispatchableJob[] = [];
    let rows: Insertable<JobsTable>[] = [];
    let characters = 0;
    let childPosition = 0;
    for (const payload of childPayloads) {
      const child = { ...parent, payload, priority: childPriority, parentId: jobId, childPosition };
      const row = newRow(child, now);
      rows.push(row);
      children.push(toDispatchable(row));
      characters += payload.length;
      childPosition += 1;
      if (characters < maxCharactersPerStatement && rows.length < maxRowsPerStatement) continue;
      await insert(transaction, rows);
      rows = [];
      characters = 0;
    }
    await insert(transaction, rows);
    return { kind: 'first', jobId, children };
  });
}

async function insert(transaction: Transaction<Tables>, rows: Insertable<JobsTable>[]): Promise<void> {
  if (rows.length > 0) await transaction.insertInto('jobs').values(rows).execute();
}
