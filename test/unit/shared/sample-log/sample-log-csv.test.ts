import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLog } from '../../../../producers/cli/backtest/read-log.ts';
import { makeSampleLog } from '../../../../shared/sample-log/make-sample-log.ts';
import { sampleLogCsv } from '../../../../shared/sample-log/sample-log-csv.ts';

it('is a CSV that the commands read back as it was made', async () => {
  const options = { users: 20, days: 10, nowMs: Date.parse('2026-11-21T15:30:00Z') };
  const directory = await mkdtemp(join(tmpdir(), 'presage-test-'));
  try {
    const path = join(directory, 'log.csv');
    await writeFile(path, sampleLogCsv(options));
    const { events, lines } = await readLog({ path, name: 'log.csv', timezone: 'UTC', progress: () => {} });
    expect(lines.bad).toBe(0);
    const active = [...makeSampleLog(options)].filter((user) => user.events.length > 0);
    expect([...events]).toEqual(active.map((user) => [user.userId, user.events]));
  } finally {
    await rm(directory, { recursive: true });
  }
});
