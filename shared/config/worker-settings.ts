import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

/** What every worker reads. */
export interface WorkerSettings {
  /** How many jobs one worker process has in hand at once. */
  concurrency: number;
}

export const workerSettings = settingGroup(
  z.object({ WORKER_CONCURRENCY: wholeNumber(1, 10_000).default(32) }),
  (values): WorkerSettings => ({ concurrency: values.WORKER_CONCURRENCY }),
);
