import { setTimeout as delay } from 'node:timers/promises';
import { Cron } from 'croner';
import type { Schedule } from '../../shared/contracts/all-schedules.ts';
import type { LastTick } from '../../shared/ledger/last-tick.ts';
import type { Enqueue } from '../../shared/queue/enqueue.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';

export interface CronOptions {
  schedules: readonly Schedule[];
  enqueue: Pick<Enqueue, 'enqueue'>;
  /** The schedule's newest tick that any cron process has accepted. */
  lastTick: (schedule: string) => Promise<LastTick | undefined>;
  log: Logger;
  now?: () => Date;
}

const lookEveryMs = 500;

/**
 * Accepts a job for every due time of every schedule, under the key `<schedule>@<due time>`. Any number of
 * these may run: a tick that two of them accept is one job. A tick that was due while none ran, or while
 * MySQL was away, is made up for, as far back as the schedule says; one that is due while the tick before is open
 * may be left out. Starts at once.
 */
export function openCron({
  schedules,
  enqueue,
  lastTick,
  log,
  now = () => new Date(),
}: CronOptions): AsyncDisposable {
  const stop = new AbortController();
  const startedAt = now();

  async function acceptTick(schedule: Schedule, due: Date): Promise<void> {
    const { name, contract } = schedule;
    const tick = `${name}@${due.toISOString()}`;
    if (schedule.skipWhileOpen) {
      const newest = await lastTick(name);
      // Another cron process was faster, and may have left this one out for a later one.
      if (newest && newest.dueAt >= due) return;
      if (newest?.open) {
        log.warn({ queue: contract.name, tick }, 'tick left out: the one before is still open');
        return;
      }
    }
    const job = await enqueue.enqueue(contract, schedule.payload, { uniqueKey: tick });
    if (job.created) log.info({ job_id: job.id, queue: contract.name, tick }, 'tick accepted');
  }

  async function follow(schedule: Schedule): Promise<void> {
    const pattern = new Cron(schedule.cron, { timezone: schedule.timezone, paused: true });
    let last: Date | undefined;
    let failing = false;
    while (!stop.signal.aborted) {
      try {
        last ??= (await lastTick(schedule.name))?.dueAt ?? startedAt;
        const earliest = new Date(now().getTime() - schedule.catchUpMs);
        if (last < earliest) last = earliest;
        for (let due = pattern.nextRun(last); due && due <= now(); due = pattern.nextRun(due)) {
          await acceptTick(schedule, due);
          last = due;
        }
        failing = false;
      } catch (error) {
        if (!failing)
          log.warn({ err: error, schedule: schedule.name }, 'a tick cannot be accepted; trying again');
        failing = true;
      }
      await delay(lookEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const following = Promise.all(schedules.map(follow));

  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}
