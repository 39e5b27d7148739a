import { z } from 'zod';
import priceTable from './prices.json' with { type: 'json' };
import { providers, type Provider } from './text-generator.ts';

const usdPerMillionTokens = z.number().positive().max(10_000).multipleOf(0.000_001);

const priceSchema = z.object({
  provider: z.enum(providers),
  /** Without version: see `priceAt`. */
  model: z.string().min(1),
  /** The first day on which the price holds, UTC. */
  effective_from: z.iso.date(),
  input: usdPerMillionTokens,
  output: usdPerMillionTokens,
  cache_read: usdPerMillionTokens.nullable(),
  cache_write: usdPerMillionTokens.nullable(),
  source: z.url(),
});

/** What a model costs from a day on, in US dollars per million tokens. */
export type Price = z.output<typeof priceSchema>;

/** The table that comes with the product. */
export function readPrices(): Price[] {
  return z.object({ prices: z.array(priceSchema).min(1) }).parse(priceTable).prices;
}

/** Where a request may be worked on; what it costs does not depend on which of these it is. */
const geography = /^(us|us-gov|eu|apac|jp|au|ca)\./;
/** A date or a short version, then what Bedrock adds: `-20251001-v1:0`, `-2025-04-14`, `-0613`. */
const versionSuffix = /^(-\d{8}|-\d{4}(-\d{2}-\d{2})?)?(-v\d+)?(:\d+)?$/;

/**
 * What a call costs that is made at this time; `undefined` when the table does not know the model.
 *
 * An entry is for its model and the model's dated versions, and for nothing else that begins alike: `gpt-4.1` is not
 * `gpt-4.1-mini`. Of Bedrock's inference profiles, those of a geography cost what the model's own id costs; the
 * global one may have an entry of its own, which begins with `global.`.
 */
export function priceAt(
  prices: readonly Price[],
  { provider, model }: { provider: Provider; model: string },
  atMs: number,
): Price | undefined {
  const id = model.startsWith('arn:') ? model.slice(model.lastIndexOf('/') + 1) : model;
  const names = provider === 'bedrock' ? [id.replace(geography, ''), id.replace(/^global\./, '')] : [id];
  for (const name of names) {
    const price = prices
      .filter((entry) => entry.provider === provider && isVersionOf(entry.model, name))
      .filter((entry) => Date.parse(entry.effective_from) <= atMs)
      .reduce<Price | undefined>((newest, entry) => laterOf(newest, entry), undefined);
    if (price) return price;
  }
  return undefined;
}

function isVersionOf(model: string, name: string): boolean {
  return name.startsWith(model) && versionSuffix.test(name.slice(model.length));
}

function laterOf(one: Price | undefined, other: Price): Price {
  return one && one.effective_from >= other.effective_from ? one : other;
}
