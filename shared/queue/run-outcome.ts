/** What BullMQ is to do with the job after a run. */
export type RunOutcome =
  | { next: 'done' }
  /** Kept among the failed ones. */
  | { next: 'fail'; code: string }
  | { next: 'retry'; delayMs: number }
  /** Put aside, no attempt spent. */
  | { next: 'wait'; delayMs: number }
  /** The same, without a note since when: nobody has tried to do it. */
  | { next: 'leave'; delayMs: number }
  /** Back to the head of the queue, no attempt spent. */
  | { next: 'release' }
  /** The same, and this process stops consuming until our stores answer. */
  | { next: 'park' };
