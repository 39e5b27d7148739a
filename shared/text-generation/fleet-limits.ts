import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible';
import type { VendorLimits } from '../config/text-generation-settings.ts';
import type { RedisClient } from '../queue/connect-redis.ts';
import type { Logger } from '../telemetry/create-logger.ts';

/** Room for one call within the limits of a vendor. */
export interface Reservation {
  /** Tells what the call used, so that the estimate is corrected; nothing at all when it was not made. */
  settle(usedTokens: number | 'not-called'): void;
}

export type Admission = { admitted: true; reservation: Reservation } | { admitted: false; waitMs: number };

export interface FleetLimits extends AsyncDisposable {
  /** Takes room for a call with so many tokens, or says when there may be some. Never throws. */
  admit(estimatedTokens: number): Promise<Admission>;
}

export interface FleetLimitsOptions {
  limits: VendorLimits | undefined;
  redis: RedisClient;
  /** Begins the counters' names. */
  keyPrefix: string;
  /** How long a call waits for Redis, in milliseconds. */
  redisTimeoutMs?: number;
  log: Logger;
}

const windowSeconds = 60;
/** Redis answers in a millisecond; a call does not wait long for one that does not. */
const defaultRedisTimeoutMs = 500;

/**
 * Requests and tokens that the whole fleet may ask of one vendor in a minute. A minute begins with the first request
 * after the last one. Tokens are reserved by an estimate before a call and corrected after it. While Redis is away
 * each process counts for itself: calls go on, and the vendor's own limit is the last word. Without a limit nothing
 * is counted.
 */
export function createFleetLimits(options: FleetLimitsOptions): FleetLimits {
  const { limits, redis, keyPrefix, redisTimeoutMs = defaultRedisTimeoutMs, log } = options;
  const corrections = new Set<Promise<unknown>>();
  const requests = openCounter('requests', limits?.requestsPerMinute);
  const tokens = openCounter('tokens', limits?.tokensPerMinute);

  function openCounter(what: string, points: number | undefined): Counter | undefined {
    if (points === undefined) return undefined;
    const memory = new RateLimiterMemory({ points, duration: windowSeconds });
    const shared = new RateLimiterRedis({
      storeClient: redis,
      keyPrefix,
      points,
      duration: windowSeconds,
      rejectIfRedisNotReady: true,
    });
    const limiter = new RLWrapperTimeouts({
      limiter: shared,
      timeoutMs: redisTimeoutMs,
      insuranceLimiter: memory,
    });
    return { limiter, what, points };
  }

  function correct(change: Promise<unknown>): void {
    const done = change
      .catch((error: unknown) => log.warn({ err: error }, 'cannot correct what a vendor may be asked'))
      .finally(() => corrections.delete(done));
    corrections.add(done);
  }

  async function take(counter: Counter | undefined, count: number): Promise<Taken> {
    if (!counter) return { waitMs: 0, change: () => undefined };
    // What could never fit would wait for ever.
    const points = Math.min(count, counter.points);
    const { limiter, what } = counter;
    try {
      const { msBeforeNext } = await limiter.consume(what, points);
      return { waitMs: 0, change: changeWithin(counter, points, msBeforeNext) };
    } catch (rejected) {
      if (rejected instanceof RateLimiterRes) {
        const { msBeforeNext } = rejected;
        // The library counts what it rejects.
        changeWithin(counter, points, msBeforeNext)(0);
        return { waitMs: Math.max(1, msBeforeNext), change: () => undefined };
      }
      log.warn({ err: rejected }, 'what a vendor may be asked cannot be counted');
      return { waitMs: 0, change: () => undefined };
    }
  }

  /** Corrections belong to the minute in which was taken: in a later one they would make room that is not there. */
  function changeWithin({ limiter, what }: Counter, taken: number, endsInMs: number): Taken['change'] {
    const endsAtMs = performance.now() + endsInMs;
    return (used) => {
      if (used === taken || performance.now() >= endsAtMs) return;
      correct(used < taken ? limiter.reward(what, taken - used) : limiter.penalty(what, used - taken));
    };
  }

  return {
    async admit(estimatedTokens) {
      const [request, token] = await Promise.all([take(requests, 1), take(tokens, estimatedTokens)]);
      const waitMs = Math.max(request.waitMs, token.waitMs);
      if (waitMs > 0) {
        request.change(0);
        token.change(0);
        return { admitted: false, waitMs };
      }
      return {
        admitted: true,
        reservation: {
          settle(used) {
            if (used === 'not-called') request.change(0);
            token.change(used === 'not-called' ? 0 : used);
          },
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(corrections);
    },
  };
}

interface Counter {
  limiter: RLWrapperTimeouts;
  what: string;
  points: number;
}

interface Taken {
  /** 0 when there was room. */
  waitMs: number;
  /** Corrects what was taken to what was used. */
  change(used: number): void;
}
