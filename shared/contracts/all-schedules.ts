import type { QueueContract } from './define-queue.ts';

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
}

/** The catalogue of schedules. No queue of the fleet is driven by time yet. */
export const allSchedules: readonly Schedule[] = [];
