import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { migrationStatus } from '../../shared/database/migrate.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { StoreUnavailableError } from '../../shared/errors/job-error.ts';

const lookAgainAfterMs = 1_000;

/**
 * Resolves when MySQL has every table and column that this version of the fleet needs, however long somebody else takes
 * to make them; a MySQL that is away is waited for too. Says once what it waits for, and again when that changes.
 */
export async function waitForMigrations(
  db: Kysely<Tables>,
  messages: Pick<NodeJS.WritableStream, 'write'>,
): Promise<void> {
  for (let told = ''; ; await delay(lookAgainAfterMs)) {
    const awaited = await whatIsAwaited(db);
    if (awaited === undefined) return;
    if (awaited !== told) messages.write(`waiting for ${awaited}\n`);
    told = awaited;
  }
}

async function whatIsAwaited(db: Kysely<Tables>): Promise<string | undefined> {
  try {
    const pending = (await migrationStatus(db)).filter(({ executedAt }) => executedAt === undefined);
    return pending.length === 0 ? undefined : pending.map(({ name }) => name).join(', ');
  } catch (error) {
    if (error instanceof StoreUnavailableError) return 'MySQL';
    throw error;
  }
}
