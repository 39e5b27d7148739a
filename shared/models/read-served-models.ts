import type { Cluster, Redis } from 'ioredis';
import { parseFreshReport, type ServedModelReport } from './served-model-report.ts';

/**
 * What the processes of a queue have loaded, as they told lately.
 *
 * @param key where they tell it
 * @param nowMs milliseconds since the epoch
 * @throws what the client throws when Redis is away
 */
export async function readServedModels(
  redis: Redis | Cluster,
  key: string,
  nowMs: number,
): Promise<ServedModelReport[]> {
  const texts = await redis.hvals(key);
  return texts.map((text) => parseFreshReport(text, nowMs)).filter((report) => report !== undefined);
}
