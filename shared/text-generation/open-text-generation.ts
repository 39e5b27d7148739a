import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { VendorLimits } from '../config/text-generation-settings.ts';
import type { Tables } from '../database/tables.ts';
import { JobError } from '../errors/job-error.ts';
import type { RedisClient } from '../queue/connect-redis.ts';
import type { JobContext } from '../queue/job-context.ts';
import { RedisKeys } from '../queue/redis-keys.ts';
import type { Logger } from '../telemetry/create-logger.ts';
import type { Metrics } from '../telemetry/create-metrics.ts';
import { askVendors } from './ask-vendors.ts';
import { openCallJournal } from './call-journal.ts';
import { createVendor } from './create-vendor.ts';
import { createFleetLimits } from './fleet-limits.ts';
import { nextStep, type JournalledCall } from './next-step.ts';
import { parseAnswer } from './parse-answer.ts';
import { readPrices } from './prices.ts';
import type { GenerationCall, Provider, TextGenerator, TokenUsage } from './text-generator.ts';

/** One question of a job. */
export interface GenerationRequest<Answer> {
  /** Which of the job's questions this is, for example `insight`: [a-z0-9-]{1,64}. Asked again, it is replayed. */
  step: string;
  system: string;
  user: string;
  /** What the answer must be; made into a JSON Schema for the vendor, and checked here again. */
  answer: { name: string; schema: z.ZodType<Answer> };
  maxOutputTokens: number;
  temperature: number;
  timeoutMs: number;
}

export interface Generated<Answer> {
  answer: Answer;
  provider: Provider;
  model: string;
  usage: TokenUsage;
  /** `null` when the price is not known. */
  costUsd: number | null;
  latencyMs: number;
  /** Position of the vendor in the order, 0 = first choice. */
  rank: number;
  /** Whether the journal gave the answer, without a call. */
  replayed: boolean;
}

export type GenerationContext = Pick<JobContext, 'jobId' | 'mayHaveRunBefore' | 'signal' | 'trace' | 'log'>;

export interface TextGeneration extends AsyncDisposable {
  /** False when no vendor is configured. */
  readonly isConfigured: boolean;
  /**
   * Asks the vendors in their order until one gives an answer that fits, and journals every call. A question that
   * this job asked before, in another run, is answered from the journal.
   *
   * @throws JobError with one of these codes:
   *   `LLM_REQUEST_REFUSED` (permanent: a vendor called the request malformed; no other one was asked),
   *   `NO_VENDOR_NOW` (unavailable, with the soonest moment: every vendor is left alone, limited or closed to us),
   *   `LLM_FAILED` (transient: at least one was asked and failed, or its answer did not fit),
   *   `LLM_NOT_CONFIGURED` (permanent), `ABORTED` (cancelled)
   * @throws StoreUnavailableError when MySQL is away
   */
  generate<Answer>(
    request: GenerationRequest<Answer>,
    context: GenerationContext,
  ): Promise<Generated<Answer>>;
}

export interface TextGenerationOptions {
  /** Of the jobs whose questions these are. */
  queue: string;
  /** In the order in which they are asked. Whoever opened them closes them. */
  generators: readonly TextGenerator[];
  /** What the fleet may ask of each vendor. */
  limits: Readonly<Partial<Record<Provider, VendorLimits>>>;
  db: Kysely<Tables>;
  /** Where the fleet counts what it asks; used only where there is a limit. */
  redis: RedisClient;
  keys?: RedisKeys;
  metrics: Metrics;
  log: Logger;
  /** Names this process in the journal; no two share one. */
  processId: string;
}

/** While another worker is asking the same question, the journal is looked at this often. */
const lookAgainMs = 250;

export function openTextGeneration(options: TextGenerationOptions): TextGeneration {
  const { generators, queue, db, metrics, log, keys = new RedisKeys() } = options;
  const journal = openCallJournal(db, options.processId);
  const prices = readPrices();
  const vendors = generators.map((generator) => {
    const limits = createFleetLimits({
      limits: options.limits[generator.provider],
      redis: options.redis,
      keyPrefix: keys.vendorLimits(generator.provider),
      log,
    });
    return createVendor({ generator, queue, journal, limits, prices, metrics, log });
  });
  const jsonSchemaOf = createJsonSchemas();

  async function generate<Answer>(
    request: GenerationRequest<Answer>,
    context: GenerationContext,
  ): Promise<Generated<Answer>> {
    const { step, answer } = request;
    const { jobId, signal } = context;
    const parse = (text: string) => parseAnswer(text, answer.schema);
    const call: GenerationCall = {
      system: request.system,
      messages: [{ role: 'user', text: request.user }],
      answer: { name: answer.name, jsonSchema: jsonSchemaOf(answer.schema) },
      maxOutputTokens: request.maxOutputTokens,
      temperature: request.temperature,
      timeoutMs: request.timeoutMs,
    };
    let calls = context.mayHaveRunBefore ? await journal.read(jobId, step) : [];
    for (;;) {
      const next = nextStep(calls, parse);
      switch (next.step) {
        case 'replay':
          metrics.llmRequests.inc({ ...labelsOf(next.call), outcome: 'replayed' });
          return { answer: next.answer, ...factsOf(next.call), rank: rankOf(next.call), replayed: true };
        case 'wait':
          await waitFor(Math.min(lookAgainMs, next.leaseLeftMs), signal);
          break;
        case 'give-up': {
          const givenUp = await journal.giveUp({ jobId, step, ask: next.call.ask });
          if (givenUp) metrics.llmRequests.inc({ ...labelsOf(next.call), outcome: 'lost' });
          break;
        }
        case 'ask': {
          const answered = await askVendors(vendors, { jobId, step, call, parse, context }, next);
          if (!answered) break;
          const { vendor, ...rest } = answered;
          return { ...rest, ...labelsOf(vendor), rank: vendors.indexOf(vendor), replayed: false };
        }
      }
      calls = await journal.read(jobId, step);
    }
  }

  /** The order may have changed since: then the vendor counts, and one that is not asked any more as the first. */
  function rankOf({ provider, model }: JournalledCall): number {
    const same = vendors.findIndex((vendor) => vendor.provider === provider && vendor.model === model);
    if (same !== -1) return same;
    return Math.max(
      0,
      vendors.findIndex((vendor) => vendor.provider === provider),
    );
  }

  return {
    isConfigured: generators.length > 0,
    generate,
    async [Symbol.asyncDispose]() {
      for (const vendor of vendors) await vendor[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
    },
  };
}

function labelsOf({ provider, model }: Pick<JournalledCall, 'provider' | 'model'>) {
  return { provider, model };
}

function factsOf({ provider, model, usage, costUsd, latencyMs }: JournalledCall) {
  return { provider, model, usage, costUsd, latencyMs };
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    throw new JobError('cancelled', 'The wait for an answer was aborted', { code: 'ABORTED', cause: error });
  }
}

/** Made once for each schema: it is the same for every job. */
function createJsonSchemas() {
  const known = new WeakMap<z.ZodType, Record<string, unknown>>();
  return (schema: z.ZodType): Record<string, unknown> => {
    let jsonSchema = known.get(schema);
    if (!jsonSchema) {
      jsonSchema = { ...z.toJSONSchema(schema) };
      known.set(schema, jsonSchema);
    }
    return jsonSchema;
  };
}
