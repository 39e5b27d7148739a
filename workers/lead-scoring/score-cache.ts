import { hash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import { z } from 'zod';
import { leadScoreCacheKey } from '../../shared/leads/lead-score-cache-key.ts';
import { createUnlessLate } from '../../shared/outside-call/create-unless-late.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';

const ttlSeconds = 300;
/** A Redis that takes longer than this is as good as away … */
const redisTimeoutMs = 500;
/** … and is left alone for so long: not every batch must wait for it. */
const restAfterTimeoutMs = 5_000;

const leadScoreSchema = z.object({
  /** From 0 to 1, like the others. */
  probability: z.number(),
  confidence: z.number(),
  coverage: z.number(),
});

/** A fraction of the time of as many SETs; there is no command that sets many keys with their expiry. */
const setAll = `
  local ttl = ARGV[#KEYS + 1]
  for place, key in ipairs(KEYS) do redis.call('SET', key, ARGV[place], 'EX', ttl) end`;

/** What the model says of one lead. */
export type LeadScore = z.output<typeof leadScoreSchema>;

export interface CachedLead {
  leadId: string;
  /** Of what the score was made: see `fingerprintOf`. */
  fingerprint: string;
}

/** Scores of the last five minutes. Redis being away or slow costs scores, never a job: nothing here throws. */
export interface ScoreCache {
  /** The scores that are known, by lead. */
  read(leads: readonly CachedLead[]): Promise<Map<string, LeadScore>>;
  write(scores: readonly (CachedLead & { score: LeadScore })[]): Promise<void>;
}

/** One entry per lead, so that a lead can be forgotten; it is good for one model and one state of the features. */
const entrySchema = leadScoreSchema.extend({ made_of: z.string() });

/** Tells one model and one state of a lead's features from every other. */
export function fingerprintOf(modelSha256: string, features: string): string {
  return hash('sha256', `${modelSha256}\n${features}`, 'base64url');
}

export function createScoreCache({
  redis,
  metrics,
}: {
  /** A client that groups parallel commands into pipelines (`enableAutoPipelining`), for the sake of a cluster. */
  redis: Redis | Cluster;
  metrics: Pick<Metrics, 'cacheRequests'>;
}): ScoreCache {
  // The client's own time-out does not cover commands that wait for a cluster to become ready.
  const unlessLate = createUnlessLate({ timeoutMs: redisTimeoutMs, restMs: restAfterTimeoutMs });

  function count(outcome: 'hit' | 'miss' | 'error' | 'write_error', times: number): void {
    if (times > 0) metrics.cacheRequests.inc({ cache: 'leads', outcome }, times);
  }

  return {
    async read(leads) {
      const known = new Map<string, LeadScore>();
      if (leads.length === 0) return known;
      const texts = await unlessLate(() => readAll(redis, leads)).catch(() => undefined);
      let errors = 0;
      for (const [place, { leadId, fingerprint }] of leads.entries()) {
        const text = texts?.[place];
        if (text === undefined) {
          errors += 1;
        } else if (text !== null) {
          const entry = parseEntry(text);
          if (entry === undefined) errors += 1;
          else if (entry.made_of === fingerprint) known.set(leadId, entry.score);
        }
      }
      count('hit', known.size);
      count('error', errors);
      count('miss', leads.length - known.size - errors);
      return known;
    },
    async write(scores) {
      if (scores.length === 0) return;
      const written = await unlessLate(() => writeAll(redis, scores)).catch(() => undefined);
      count('write_error', scores.length - (written ?? 0));
    },
  };
}

/** What is stored for each, in order; undefined where that could not be read. */
async function readAll(
  redis: Redis | Cluster,
  leads: readonly CachedLead[],
): Promise<(string | null | undefined)[]> {
  const keys = leads.map(({ leadId }) => leadScoreCacheKey(leadId));
  // A quarter of the time of as many GETs, where all keys are on one server.
  if (!(redis instanceof Cluster)) return redis.mget(keys);
  const replies = await Promise.allSettled(keys.map((key) => redis.get(key)));
  return replies.map((reply) => (reply.status === 'fulfilled' ? reply.value : undefined));
}

/** Answers how many were written. */
async function writeAll(
  redis: Redis | Cluster,
  scores: readonly (CachedLead & { score: LeadScore })[],
): Promise<number> {
  const entries = scores.map(({ leadId, fingerprint, score: { probability, confidence, coverage } }) => ({
    key: leadScoreCacheKey(leadId),
    text: JSON.stringify({ made_of: fingerprint, probability, confidence, coverage }),
  }));
  if (!(redis instanceof Cluster)) {
    const [keys, texts] = [entries.map(({ key }) => key), entries.map(({ text }) => text)];
    await redis.eval(setAll, entries.length, ...keys, ...texts, ttlSeconds);
    return entries.length;
  }
  const replies = await Promise.allSettled(
    entries.map(({ key, text }) => redis.set(key, text, 'EX', ttlSeconds)),
  );
  return replies.filter(({ status }) => status === 'fulfilled').length;
}

function parseEntry(text: string): { made_of: string; score: LeadScore } | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { made_of: madeOf, ...score } = parsed.data;
  return { made_of: madeOf, score };
}
