import type { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import { optimalCallTimeSchema, type OptimalCallTime } from '../../shared/contracts/call-time-prediction.ts';
import { createUnlessLate } from '../../shared/outside-call/create-unless-late.ts';
import { predictionCacheKey } from '../../shared/prediction-cache/prediction-cache-key.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { defaultPattern } from './default-pattern.ts';

/** How long a default pattern is kept, and only where no endpoint is configured that could do better. */
const defaultTtlSeconds = 300;
/** A Redis that takes longer than this is as good as away … */
const redisTimeoutMs = 1_000;
/** … and is left alone for so long: ten thousand answers must not wait for it one after the other. */
const restAfterTimeoutMs = 5_000;

/** Known predictions by phone number. Redis being away or slow costs predictions, never a job: nothing here throws. */
export interface PredictionCache {
  /** The predictions that are known; a number without one is missing from the answer. */
  read(phoneNumbers: readonly string[]): Promise<Map<string, OptimalCallTime>>;
  /** Keeps the endpoint's answer for a number. */
  write(phoneNumber: string, answer: OptimalCallTime): Promise<void>;
  /** Keeps the default pattern for numbers for which nothing is kept, marked as such and for a short time. */
  writeDefaults(phoneNumbers: readonly string[]): Promise<void>;
}

export interface PredictionCacheOptions {
  /**
   * A client that groups parallel commands into pipelines (`enableAutoPipelining`): single GETs and SETs then
   * travel in bulk on a Redis Cluster too, where MGET cannot.
   */
  redis: Redis | Cluster;
  /** How long an endpoint's answer is kept. */
  ttlSeconds: number;
  /** With an endpoint, default patterns that another process left behind do not count as known. */
  endpointConfigured: boolean;
  metrics: Pick<Metrics, 'cacheRequests'>;
}

/** Document 000's three fields; `source` marks a default pattern. */
const entrySchema = optimalCallTimeSchema.extend({ source: z.literal('default').optional() });

export function createPredictionCache(options: PredictionCacheOptions): PredictionCache {
  const { redis, ttlSeconds, endpointConfigured, metrics } = options;

  function count(outcome: 'hit' | 'miss' | 'error' | 'write_error', times: number): void {
    if (times > 0) metrics.cacheRequests.inc({ cache: 'call_time', outcome }, times);
  }

  // The client's own time-out does not cover commands that wait for a cluster to become ready.
  const unlessLate = createUnlessLate({ timeoutMs: redisTimeoutMs, restMs: restAfterTimeoutMs });

  /** What became of each command; nothing when not all were answered in time or Redis is left alone. */
  async function settle<Reply>(
    phoneNumbers: readonly string[],
    command: (phoneNumber: string) => Promise<Reply>,
  ): Promise<readonly PromiseSettledResult<Reply>[]> {
    // On a cluster that lacks a part, the client throws before there is a promise.
    const commands = () => phoneNumbers.map(async (phoneNumber) => command(phoneNumber));
    return (await unlessLate(() => Promise.allSettled(commands()))) ?? [];
  }

  async function write(
    phoneNumbers: readonly string[],
    command: (phoneNumber: string) => Promise<unknown>,
  ): Promise<void> {
    const replies = await settle(phoneNumbers, command);
    const written = replies.filter(({ status }) => status === 'fulfilled').length;
    count('write_error', phoneNumbers.length - written);
  }

  return {
    async read(phoneNumbers) {
      const replies = await settle(phoneNumbers, (phoneNumber) => redis.get(predictionCacheKey(phoneNumber)));
      const known = new Map<string, OptimalCallTime>();
      let errors = 0;
      for (const [index, phoneNumber] of phoneNumbers.entries()) {
        const reply = replies[index];
        if (reply?.status !== 'fulfilled') {
          errors += 1;
        } else if (reply.value !== null) {
          const entry = parseEntry(reply.value);
          if (entry === undefined) errors += 1;
          else if (!(endpointConfigured && entry.isDefault)) known.set(phoneNumber, entry.answer);
        }
      }
      count('hit', known.size);
      count('error', errors);
      count('miss', phoneNumbers.length - known.size - errors);
      return known;
    },
    write(phoneNumber, answer) {
      const text = entryText(answer);
      return write([phoneNumber], () => redis.set(predictionCacheKey(phoneNumber), text, 'EX', ttlSeconds));
    },
    writeDefaults(phoneNumbers) {
      const text = entryText(defaultPattern, 'default');
      return write(phoneNumbers, (phoneNumber) =>
        redis.set(predictionCacheKey(phoneNumber), text, 'EX', defaultTtlSeconds, 'NX'),
      );
    },
  };
}

function entryText(answer: OptimalCallTime, source?: 'default'): string {
  const { preferredDayOfWeek, preferredHourRange, confidence } = answer;
  return JSON.stringify({ preferredDayOfWeek, preferredHourRange, confidence, source });
}

function parseEntry(text: string): { answer: OptimalCallTime; isDefault: boolean } | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { source, ...answer } = parsed.data;
  return { answer, isDefault: source === 'default' };
}
