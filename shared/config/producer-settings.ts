import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { wholeNumber } from './setting-types.ts';

export interface ProducerSettings {
  /** Open jobs of one queue above which no more are taken in. */
  queueMaxDepth: number;
}

export const producerSettings = settingGroup(
  z.object({ QUEUE_MAX_DEPTH: wholeNumber(1, 1_000_000_000).default(100_000) }),
  (values): ProducerSettings => ({ queueMaxDepth: values.QUEUE_MAX_DEPTH }),
);
