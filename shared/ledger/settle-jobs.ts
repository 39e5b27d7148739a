import { sql, type Kysely } from 'kysely';
import type { JobRowState } from '../database/jobs-table.ts';
import { isOutage } from '../database/open-database.ts';
import type { Tables } from '../database/tables.ts';
import { createGroup } from '../group/create-group.ts';
import type { JobFailure } from './job-record.ts';

/** How a job ends. */
export interface Settlement {
  id: string;
  generation: number;
  parentId: string | null;
  /** Attempts made in all, this one included. */
  attempts: number;
  outcome: { state: 'completed'; result: string } | { state: 'failed' | 'cancelled'; failure: JobFailure };
}

export interface SettleOutcome {
  /** False when somebody else settled the job first; theirs is what counts. */
  won: boolean;
  /** The parent whose last open child this was: its finish step is to be dispatched. */
  finishedParentId: string | null;
}

const maxStatementBytes = 8 * 1024 * 1024;

export type SettleJobs = ReturnType<typeof createSettleJobs>;

/**
 * Settling: one UPDATE for all jobs that end at this moment. It matches an open row of the right
 * generation, so the first settle of a job wins and a late one changes nothing.
 *
 * @param settledBy names this process; tells our own settle from another's
 */
export function createSettleJobs(db: Kysely<Tables>, settledBy: string) {
  const settles = createGroup<Settlement, SettleOutcome>({
    maxItems: 200,
    maxBytes: maxStatementBytes,
    weigh: (settlement) => bodyOf(settlement).length,
    parallelFlushes: 2,
    retrySingly: (error) => !isOutage(error),
    async flush(settlements) {
      const won = new Set<string>();
      for (const alike of groupAlike(settlements)) {
        for (const id of await settleAlike(db, alike, settledBy)) won.add(id);
      }
      const finishedParents = await finishParents(
        db,
        settlements.filter(({ id }) => won.has(id)),
      );
      return settlements.map(({ id, parentId }) => ({
        won: won.has(id),
        finishedParentId: parentId !== null && finishedParents.delete(parentId) ? parentId : null,
      }));
    },
  });

  return {
    settle: (settlement: Settlement): Promise<SettleOutcome> => settles.add(settlement),

    /** Keeps the reason of a failed attempt that will be followed by another. */
    async recordFailedAttempt(job: Pick<Settlement, 'id' | 'generation' | 'attempts'>, failure: JobFailure) {
      await db
        .updateTable('jobs')
        .set({ attempts: job.attempts, error: JSON.stringify(failure) })
        .where('id', '=', job.id)
        .where('generation', '=', job.generation)
        .where('state', '=', 'accepted')
        .execute();
    },

    [Symbol.asyncDispose]: () => settles[Symbol.asyncDispose](),
  };
}

function bodyOf({ outcome }: Settlement): string {
  return outcome.state === 'completed' ? outcome.result : JSON.stringify(outcome.failure);
}

/** Settlements that differ in nothing but id and body, so that one statement can write them. */
interface AlikeSettlements {
  state: Exclude<JobRowState, 'accepted'>;
  generation: number;
  attempts: number;
  bodies: Map<string, string>;
}

function groupAlike(settlements: readonly Settlement[]): Iterable<AlikeSettlements> {
  const groups = new Map<string, AlikeSettlements>();
  for (const settlement of settlements) {
    const { id, generation, attempts, outcome } = settlement;
    const key = `${outcome.state} ${generation} ${attempts}`;
    let group = groups.get(key);
    if (!group) {
      group = { state: outcome.state, generation, attempts, bodies: new Map() };
      groups.set(key, group);
    }
    // The same job twice in one group: the first settle wins here too.
    if (!group.bodies.has(id)) group.bodies.set(id, bodyOf(settlement));
  }
  return groups.values();
}

/** Answers the ids whose row now carries our settle. */
async function settleAlike(
  db: Kysely<Tables>,
  alike: AlikeSettlements,
  settledBy: string,
): Promise<Iterable<string>> {
  const ids = [...alike.bodies.keys()];
  const column = alike.state === 'completed' ? sql.ref('result') : sql.ref('error');
  const bodies = sql.join(
    [...alike.bodies].map(([id, body]) => sql`when ${id} then ${body}`),
    sql` `,
  );
  const update = await sql`
    update jobs
    set state = ${alike.state}, ${column} = case id ${bodies} end, attempts = ${alike.attempts},
      settled_by = ${settledBy}, finished_at = ${new Date()}, check_at = null
    where id in (${sql.join(ids)}) and generation = ${alike.generation} and state = 'accepted'`.execute(db);
  if (update.numAffectedRows === BigInt(ids.length)) return ids;
  // Somebody was faster with some of them, or the answer to an earlier statement of ours was lost.
  const ours = await db
    .selectFrom('jobs')
    .select('id')
    .where('id', 'in', ids)
    .where('generation', '=', alike.generation)
    .where('state', '=', alike.state)
    .where('settled_by', '=', settledBy)
    .execute();
  return ours.map((row) => row.id);
}

/** The parents among these children's that need not wait any longer and whose finish step is now ours to dispatch. */
async function finishParents(db: Kysely<Tables>, children: readonly Settlement[]): Promise<Set<string>> {
  const parentIds = new Set(children.flatMap(({ parentId }) => (parentId === null ? [] : [parentId])));
  const finished = new Set<string>();
  for (const parentId of parentIds) {
    if (await beginFinishStep(db, parentId)) finished.add(parentId);
  }
  return finished;
}

/**
 * Moves a parent on to its finish step when no child is open, or when it has waited for its children until the time
 * that it set. True for exactly one caller.
 */
export async function beginFinishStep(db: Kysely<Tables>, parentId: string): Promise<boolean> {
  const now = new Date();
  const openChild = await db
    .selectFrom('jobs')
    .select('id')
    .where('parent_id', '=', parentId)
    .where('state', '=', 'accepted')
    .limit(1)
    .executeTakeFirst();
  const update = await db
    .updateTable('jobs')
    .set({ phase: 'finish', check_at: now })
    .where('id', '=', parentId)
    .where('phase', '=', 'children')
    .where('state', '=', 'accepted')
    .$if(openChild !== undefined, (waiting) => waiting.where('children_until', '<=', now))
    .executeTakeFirst();
  return update.numUpdatedRows === 1n;
}
