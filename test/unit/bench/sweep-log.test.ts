import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSweepLog } from '../../../bench/sweep-log.ts';

it('moves the last weeks of a log to now by whole weeks, so that local weekdays and hours stay', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'presage-test-'));
  try {
    const path = join(directory, 'log.csv');
    await writeFile(
      path,
      [
        'user_id,activity_type,occurred_at',
        'u,old,2012-01-02T09:30:00',
        // Monday and Wednesday, half past nine in New York, while clocks there are an hour ahead of winter's.
        'u,first,2012-06-04T09:30:00',
        'u,second,2012-06-06T09:30:00',
        '',
      ].join('\n'),
    );
    // A Tuesday in winter.
    const nowMs = Date.parse('2026-11-24T12:00:00Z');
    const { users } = await readSweepLog({ path, timezone: 'America/New_York' }, nowMs);
    // Wednesday is still to come.
    expect([...users]).toEqual([
      {
        userId: 'u',
        events: [
          {
            activityType: 'first',
            occurredAtMs: Date.parse('2026-11-23T14:30:00Z'),
            timezone: 'America/New_York',
          },
        ],
      },
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
