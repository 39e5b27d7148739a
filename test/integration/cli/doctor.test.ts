import { openDoctor, type Doctor } from '../../support/open-doctor.ts';
import { runPresage } from '../../support/run-presage.ts';

let doctor: Doctor;
beforeAll(async () => {
  doctor = await openDoctor();
});
afterAll(() => doctor[Symbol.asyncDispose]());

test('all well: one line for each check, exit 0', async () => {
  const { exitCode, all, amiss } = await doctor.examine();
  expect({ exitCode, amiss }).toEqual({ exitCode: 0, amiss: [] });
  const checks = [
    'redis eviction',
    'redis persistence',
    'mysql schema',
    'sagemaker endpoint',
    'dynamodb endpoint',
  ];
  for (const check of checks) {
    expect(all.filter((line) => line.startsWith(`ok ${check}: `))).toHaveLength(1);
  }

  const { output, messages } = await runPresage(['doctor'], doctor.environment);
  expect(output.trimEnd().split('\n')).toHaveLength(all.length);
  expect(output).toMatch(/^ok {4}redis eviction +maxmemory-policy is noeviction$/m);
  expect(messages).toBe('');
});

test('it says when the schedules are due', async () => {
  const aboutSchedules = (lines: readonly string[]) => lines.filter((line) => line.includes(' schedule '));
  const { all } = await doctor.examine({ PATTERN_SWEEP_CRON: '30 4 1 1 *' });
  const year = new Date().getUTCFullYear();
  expect(aboutSchedules(all)).toEqual([
    expect.stringMatching(
      new RegExp(
        `^ok schedule pattern-sweep: 30 4 1 1 \\* \\(UTC\\), next (${year}|${year + 1})-01-01T04:30:00`,
      ),
    ),
  ]);
  const wrong = await doctor.examine({ PATTERN_SWEEP_CRON: 'now and then' });
  expect(wrong.amiss).toEqual([
    expect.stringMatching(/^fail configuration PATTERN_SWEEP_CRON: must be a cron pattern/),
  ]);
  expect(aboutSchedules(wrong.all)).toEqual([]);
});

test('every problem of the configuration is a finding, and what can be checked is checked', async () => {
  const { exitCode, amiss, all } = await doctor.examine({
    REDIS_URL: 'nonsense-word',
    DB_POOL_SIZE: 'many',
    LOG_LEVEL: 'loud',
    DYNAMODB: 'local',
    LEDGER_RETENTION_DAYS: '-1',
  });
  expect(exitCode).toBe(1);
  for (const variable of ['REDIS_URL', 'DB_POOL_SIZE', 'LOG_LEVEL', 'DYNAMODB', 'LEDGER_RETENTION_DAYS']) {
    expect(amiss.filter((line) => line.startsWith(`fail configuration ${variable}: `))).toHaveLength(1);
  }
  expect(all.join('\n')).toContain('sagemaker endpoint');
  expect(all.join('\n')).not.toContain('nonsense-word');

  const nothing = await doctor.examine({ REDIS_URL: '', DATABASE_URL: '' });
  expect(nothing.amiss).toEqual([
    expect.stringMatching(/^fail configuration REDIS_URL: not set/),
    expect.stringMatching(/^fail configuration DATABASE_URL: not set/),
  ]);
});
