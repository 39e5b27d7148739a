import { basename } from 'node:path';
import { createLocalTime } from '../producers/cli/activity/local-time.ts';
import { readLog } from '../producers/cli/backtest/read-log.ts';
import type { ActivityEvent } from '../shared/patterns/activity-log.ts';
import { localTime } from '../shared/patterns/local-clock.ts';
import { dayMs } from '../shared/patterns/local-day.ts';
import { makeSampleLog } from '../shared/sample-log/make-sample-log.ts';
import type { BenchmarkEnvironment } from './benchmark-report.ts';

/** What users did in the weeks before now. */
export interface SweepLog {
  /** In a few words. */
  name: string;
  users: Iterable<{ userId: string; events: readonly ActivityEvent[] }>;
}

/** More than patterns are looked for in. */
const days = 35;
const madeUpUsers = 2_000;
const weekMs = 7 * dayMs;

/** A made-up log, or the last weeks of the one that is given, moved by whole weeks so that it ends now. */
export async function readSweepLog(log: BenchmarkEnvironment['log'], nowMs: number): Promise<SweepLog> {
  if (log === undefined) {
    return {
      name: `${madeUpUsers} made-up users`,
      users: makeSampleLog({ users: madeUpUsers, days, nowMs }),
    };
  }
  const { events } = await readLog({ ...log, name: basename(log.path), progress: () => undefined });
  let lastMs = -Infinity;
  for (const ofUser of events.values()) {
    for (const { occurredAtMs } of ofUser) lastMs = Math.max(lastMs, occurredAtMs);
  }
  // Weekdays and hours stay what they were; what would lie in the future, less than a week, is left out.
  const laterMs = Math.ceil((nowMs - lastMs) / weekMs) * weekMs;
  const instantOf = createLocalTime();
  const users = [...events].map(([userId, ofUser]) => ({
    userId,
    events: ofUser
      .map((event) => {
        const localMs = localTime(event.timezone, event.occurredAtMs) + laterMs;
        return { ...event, occurredAtMs: instantOf(localMs, event.timezone) };
      })
      .filter(({ occurredAtMs }) => occurredAtMs < nowMs && occurredAtMs >= nowMs - days * dayMs),
  }));
  return { name: `the last weeks of ${basename(log.path)}`, users };
}
