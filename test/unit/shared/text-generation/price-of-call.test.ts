import fc from 'fast-check';
import { priceOfCall } from '../../../../shared/text-generation/price-of-call.ts';
import { priceAt, readPrices } from '../../../../shared/text-generation/prices.ts';
import type { Provider } from '../../../../shared/text-generation/text-generator.ts';

const prices = readPrices();
const now = Date.parse('2026-06-01T00:00:00Z');
const priceOf = (provider: Provider, model: string, atMs = now) => {
  const price = priceAt(prices, { provider, model }, atMs);
  return price && [price.input, price.output];
};

describe('the price table', () => {
  it.each<[Provider, string, [number, number] | undefined]>([
    ['bedrock', 'global.anthropic.claude-haiku-4-5-20251001-v1:0', [1, 5]],
    ['bedrock', 'us.anthropic.claude-haiku-4-5-20251001-v1:0', [1.1, 5.5]],
    ['bedrock', 'anthropic.claude-haiku-4-5-20251001-v1:0', [1.1, 5.5]],
    [
      'bedrock',
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0',
      [1.1, 5.5],
    ],
    ['bedrock', 'global.anthropic.claude-sonnet-4-20250514-v1:0', [3, 15]],
    ['bedrock', 'us.anthropic.claude-3-5-haiku-20241022-v1:0', [0.8, 4]],
    ['bedrock', 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123', undefined],
    ['openai', 'gpt-4.1', [2, 8]],
    ['openai', 'gpt-4.1-2025-04-14', [2, 8]],
    ['openai', 'gpt-4.1-mini', [0.4, 1.6]],
    ['openai', 'gpt-4.1-large', undefined],
    ['openai', 'gpt-4', [30, 60]],
    ['openai', 'gpt-4-0613', [30, 60]],
    ['openai', 'gpt-4-1106-preview', undefined],
    ['openai', 'anthropic.claude-haiku-4-5', undefined],
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', [0.88, 0.88]],
  ])('%s %s', (provider, model, expected) => {
    expect(priceOf(provider, model)).toEqual(expected);
  });

  it('knows the price of the day', () => {
    expect(priceOf('openai', 'gpt-4o', Date.parse('2024-10-01T23:59:59Z'))).toEqual([5, 15]);
    expect(priceOf('openai', 'gpt-4o', Date.parse('2024-10-02T00:00:00Z'))).toEqual([2.5, 10]);
    expect(priceOf('openai', 'gpt-4o', Date.parse('2024-01-01T00:00:00Z'))).toBeUndefined();
  });
});

describe('priceOfCall', () => {
  const price = {
    provider: 'bedrock',
    model: 'm',
    effective_from: '2025-01-01',
    input: 1,
    output: 5,
    cache_read: 0.1,
    cache_write: 1.25,
    source: 'https://example.com',
  } as const;
  const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

  it('charges each kind of token by its own price', () => {
    const usage = { inputTokens: 1_000, outputTokens: 200, cacheReadTokens: 30_000, cacheWriteTokens: 400 };
    expect(priceOfCall(usage, price)).toEqual({ decimalUsd: '0.005500000', usd: 0.0055 });
  });

  it('charges cached tokens as input where the table has no price for them', () => {
    const usage = { ...none, cacheReadTokens: 1_000_000, cacheWriteTokens: 1_000_000 };
    expect(priceOfCall(usage, { ...price, cache_read: null, cache_write: null }).usd).toBe(2);
  });

  it('is exact to the billionth of a dollar', () => {
    expect(priceOfCall({ ...none, cacheReadTokens: 3 }, price).decimalUsd).toBe('0.000000300');
    expect(priceOfCall({ ...none, inputTokens: 1 }, { ...price, input: 0.075 }).decimalUsd).toBe(
      '0.000000075',
    );
    expect(priceOfCall({ ...none, inputTokens: 1 }, { ...price, input: 0.0005 }).decimalUsd).toBe(
      '0.000000001',
    );
    expect(priceOfCall({ ...none, outputTokens: 2_147_483_647 }, price).decimalUsd).toBe('10737.418235000');
    expect(priceOfCall(none, price)).toEqual({ decimalUsd: '0.000000000', usd: 0 });
  });

  it('adds up: two calls cost what one with the tokens of both costs', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (one, other) => {
        const cost = (inputTokens: number) =>
          BigInt(priceOfCall({ ...none, inputTokens }, price).decimalUsd.replace('.', ''));
        expect(cost(one) + cost(other)).toBe(cost(one + other));
      }),
    );
  });
});
