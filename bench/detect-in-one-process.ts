import type { Kysely } from 'kysely';
import pMap from 'p-map';
import { readActiveUsers } from '../shared/activity/read-active-users.ts';
import { readUserActivity, type UserEvent } from '../shared/activity/read-user-activity.ts';
import type { Tables } from '../shared/database/tables.ts';
import { readActivityLog } from '../shared/patterns/activity-log.ts';
import { dayMs, daysBefore } from '../shared/patterns/local-day.ts';
import { defaultPopulation } from '../shared/patterns/population.ts';
import { proposePatterns } from '../shared/patterns/propose-patterns.ts';
import { verifyPattern } from '../shared/patterns/verify-pattern.ts';

// As the worker has them, if nothing is configured.
const activeUserDays = 7;
export const windowDays = 30;
const usersAtOnce = 32;
const mostEvents = 50_000;

/** What a tick does at least: reads every active user's days, and finds and tests the patterns in them. */
export async function detectInOneProcess(db: Kysely<Tables>): Promise<void> {
  for await (const users of activeUsers(db)) {
    await pMap(
      users,
      async (userId) => {
        // Local days begin up to a day before ours.
        const events = await readDays(db, userId, windowDays + 1);
        const timezone = events.at(-1)?.timezone ?? 'UTC';
        const log = readActivityLog(
          events.map((event) => ({
            activityType: event.activityType,
            occurredAtMs: event.occurredAt.getTime(),
            timezone: event.timezone ?? timezone,
          })),
          daysBefore(Date.now(), timezone, windowDays),
        );
        for (const pattern of proposePatterns(log)) verifyPattern(pattern, log, defaultPopulation);
      },
      { concurrency: usersAtOnce },
    );
  }
}

/** Pages of the ids of those who have been active lately. */
export async function* activeUsers(db: Kysely<Tables>): AsyncGenerator<string[]> {
  const since = new Date(Date.now() - activeUserDays * dayMs);
  for await (const page of readActiveUsers(db, { since })) yield page.map(({ userId }) => userId);
}

/** What a user did in the last days. */
export async function readDays(db: Kysely<Tables>, userId: string, days: number): Promise<UserEvent[]> {
  const before = new Date();
  const from = new Date(before.getTime() - days * dayMs);
  return await readUserActivity(db, userId, { from, before, limit: mostEvents });
}
