/**
 * A worker renews the lock of each job that it has in hand. One that was killed stops doing so: after the
 * lock's end and the next check, at most 15 s later, another worker takes the job.
 */
export const lockDurationMs = 10_000;
export const stalledCheckMs = 5_000;

/** A job that took more workers down with it than this is given up: it is probably what kills them. */
export const maxStalledCount = 5;
