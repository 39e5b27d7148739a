import type { QueueContract } from './define-queue.ts';
import { patternDetection } from './pattern-detection.ts';

/** A job that is due again and again. */
export interface Schedule {
  /** Names the schedule for ever: with a due time it is the key under which that tick is accepted once. */
  name: string;
  /** A cron pattern. */
  cron: string;
  /** IANA timezone in which the pattern is read. */
  timezone: string;
  contract: QueueContract;
  payload: unknown;
  /** How far back ticks are made up for after an outage, in milliseconds. */
  catchUpMs: number;
  /** Whether a tick that is due while the one before is open is left out; the process that did so never makes up for it. */
  skipWhileOpen: boolean;
}

/** The catalogue of schedules, each due when the environment says. */
export function allSchedules({ patternSweepCron }: { patternSweepCron: string }): readonly Schedule[] {
  return [
    {
      name: 'pattern-sweep',
      cron: patternSweepCron,
      timezone: 'UTC',
      contract: patternDetection,
      payload: {},
      catchUpMs: 5 * 60_000,
      // A tick looks at everything that is new, so one that waits behind another has nothing to do.
      skipWhileOpen: true,
    },
  ];
}
