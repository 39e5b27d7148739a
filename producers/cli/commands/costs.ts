import { InvalidArgumentError, type Command } from 'commander';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { readSpend, type Spend } from '../../../shared/text-generation/read-spend.ts';
import { writeJson, type CliContext } from '../cli-context.ts';
import { formatTable } from '../format-table.ts';

interface CostsFlags {
  month: string;
  json?: true;
}

export function addCostsCommand(program: Command, context: CliContext): void {
  program
    .command('costs')
    .description('what language models cost in a month, by pipeline, provider and model')
    .option('--month <month>', 'which month, UTC, for example 2026-01', monthArgument, thisMonth())
    .option('--json', 'print one JSON document')
    .action(async ({ month, json }: CostsFlags) => {
      const { database: settings } = readSettings({ database: databaseSettings }, context.environment);
      await using database = openDatabase(settings);
      const { from, before } = timeOf(month);
      const spend = await readSpend(database.db, from, before);
      if (json) writeJson(context.output, report(month, spend));
      else context.output.write(describe(month, spend));
    });
}

function thisMonth(): string {
  return new Date().toISOString().slice(0, 7);
}

function monthArgument(value: string): string {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(value)) {
    throw new InvalidArgumentError('must be a month such as 2026-01.');
  }
  return value;
}

function timeOf(month: string): { from: Date; before: Date } {
  const from = new Date(`${month}-01T00:00:00Z`);
  return { from, before: new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 1)) };
}

function report(month: string, spend: readonly Spend[]) {
  return {
    month,
    total_cost_usd: Number(totalOf(spend)),
    calls_without_price: sumOf(spend, 'callsWithoutPrice'),
    costs: spend.map((row) => ({
      pipeline: row.queue,
      provider: row.provider,
      model: row.model,
      calls: row.calls,
      lost: row.lost,
      input_tokens: row.inputTokens,
      output_tokens: row.outputTokens,
      cache_read_tokens: row.cacheReadTokens,
      cache_write_tokens: row.cacheWriteTokens,
      cost_usd: Number(row.costUsd),
      calls_without_price: row.callsWithoutPrice,
    })),
  };
}

function describe(month: string, spend: readonly Spend[]): string {
  if (spend.length === 0) return `No call of a language model was paid in ${month}.\n`;
  const table = formatTable(
    ['PIPELINE', 'PROVIDER', 'MODEL', 'CALLS', 'LOST', 'INPUT', 'OUTPUT', 'CACHE READ', 'CACHE WRITE', 'USD'],
    [
      ...spend.map((row) => [
        row.queue,
        row.provider,
        row.model,
        String(row.calls),
        String(row.lost),
        String(row.inputTokens),
        String(row.outputTokens),
        String(row.cacheReadTokens),
        String(row.cacheWriteTokens),
        shownUsd(row.costUsd),
      ]),
      [
        'total',
        '',
        '',
        String(sumOf(spend, 'calls')),
        String(sumOf(spend, 'lost')),
        String(sumOf(spend, 'inputTokens')),
        String(sumOf(spend, 'outputTokens')),
        String(sumOf(spend, 'cacheReadTokens')),
        String(sumOf(spend, 'cacheWriteTokens')),
        shownUsd(totalOf(spend)),
      ],
    ],
  );
  const withoutPrice = sumOf(spend, 'callsWithoutPrice');
  const note =
    withoutPrice === 0
      ? ''
      : `${withoutPrice} of the calls are of models that the price table does not know: their cost is missing.\n`;
  return `${table}${note}`;
}

function sumOf(
  spend: readonly Spend[],
  count: Exclude<keyof Spend, 'queue' | 'provider' | 'model' | 'costUsd'>,
) {
  return spend.reduce((sum, row) => sum + row[count], 0);
}

/** Decimal text. Added in whole billionths, so that the total is the sum to the last place. */
function totalOf(spend: readonly Spend[]): string {
  const billionths = spend.reduce((sum, { costUsd }) => sum + BigInt(costUsd.replace('.', '')), 0n);
  const digits = billionths.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** To a millionth of a dollar: a call of a small model costs less than a cent's thousandth. */
function shownUsd(decimal: string): string {
  return Number(decimal).toFixed(6);
}
