import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { sampleLogCsv } from './sample-log-csv.ts';

// Prints a made-up log, which ends now, for `presage activity import` and `presage backtest`.
//
//   node shared/sample-log/print-sample-log.ts [--users 300] [--days 35] [--seed 1] > log.csv

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '300' },
    days: { type: 'string', default: '35' },
    seed: { type: 'string', default: '1' },
  },
});
const lines = sampleLogCsv({
  users: Number(values.users),
  days: Number(values.days),
  seed: Number(values.seed),
  nowMs: Date.now(),
});
await pipeline(Readable.from(lines), process.stdout);
