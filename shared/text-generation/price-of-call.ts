import type { Price } from './prices.ts';
import type { TokenUsage } from './text-generator.ts';

/** A cost, exact to the billionth of a dollar. */
export interface Cost {
  /** Decimal text with nine places, as the journal keeps it. */
  decimalUsd: string;
  usd: number;
}

/** What the tokens cost. Computed in whole numbers: sums of it do not drift. */
export function priceOfCall(usage: TokenUsage, price: Price): Cost {
  const picodollars =
    picodollarsOf(usage.inputTokens, price.input) +
    picodollarsOf(usage.outputTokens, price.output) +
    picodollarsOf(usage.cacheReadTokens, price.cache_read ?? price.input) +
    picodollarsOf(usage.cacheWriteTokens, price.cache_write ?? price.input);
  const nanodollars = (picodollars + 500n) / 1_000n;
  const digits = nanodollars.toString().padStart(10, '0');
  const decimalUsd = `${digits.slice(0, -9)}.${digits.slice(-9)}`;
  return { decimalUsd, usd: Number(decimalUsd) };
}

/** A dollar for a million tokens is a million picodollars for one; prices have up to six places. */
function picodollarsOf(tokens: number, usdPerMillionTokens: number): bigint {
  return BigInt(tokens) * BigInt(Math.round(usdPerMillionTokens * 1_000_000));
}
