import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plantHabits, makeNoise } from '../../support/plant-habits.ts';
import { runPresage } from '../../support/run-presage.ts';

interface Stated {
  count: number;
  mean_stated: number | null;
  realised: number | null;
}
interface Report {
  users: number;
  cut_offs: number;
  evaluations: number;
  predictions: number;
  reliability: (Stated & { lower: number; upper: number })[];
  stated_at_least: (Stated & { threshold: number })[];
  coverage: { users: number };
  control: { predictions: number; came_true: number; precision: number };
  unchecked: (Stated & { threshold: number })[];
  lines: { read: number; bad: number; bad_lines: { line: number; message: string }[] };
}

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'backtest-'))));
afterEach(() => rm(folder, { recursive: true }));

const days = { startDay: 20_500, endDay: 20_570 };
const instant = (epochMs: number) => new Date(epochMs).toISOString();

/** Twenty users with habits and ten without, over ten weeks. */
function sampleLines(): string[] {
  return Array.from({ length: 30 }, (_nothing, user) =>
    user < 20
      ? plantHabits(user, days).events
      : makeNoise(user, days, { eventsADay: 5, activities: 4, from: 8, to: 22 }),
  ).flatMap((events, user) =>
    events.map(({ activityType, occurredAtMs }) => `user-${user},${activityType},${instant(occurredAtMs)}`),
  );
}

async function backtest(lines: readonly string[], ...more: string[]) {
  const path = join(folder, 'log.csv');
  await writeFile(path, `${lines.join('\n')}\n`);
  return runPresage(['backtest', '--log', path, ...more], {});
}

async function report(lines: readonly string[], ...more: string[]): Promise<Report> {
  const { exitCode, output, messages } = await backtest(lines, '--json', ...more);
  expect({ exitCode, messages }).toEqual({ exitCode: 0, messages: '' });
  return JSON.parse(output) as Report;
}

const header = 'user_id,activity_type,occurred_at';

describe('presage backtest', () => {
  it('states what comes true, better than repeating last week, the same each time', async () => {
    const found = await report([header, ...sampleLines()]);
    expect(found).toMatchObject({ users: 30, cut_offs: 5, evaluations: 150 });
    expect(found.reliability).toHaveLength(10);
    expect(found.reliability.reduce((sum, { count }) => sum + count, 0)).toBe(found.predictions);
    const queued = found.stated_at_least.find(({ threshold }) => threshold === 0.7);
    expect(queued?.count).toBeGreaterThan(500);
    expect(Math.abs((queued?.mean_stated ?? 0) - (queued?.realised ?? 1))).toBeLessThan(0.05);
    expect(queued?.realised).toBeGreaterThan(found.control.precision + 0.3);
    expect(found.coverage.users).toBe(20);
    expect(await report([header, ...sampleLines()])).toEqual(found);
  });

  it('counts a day and window, or one time of the leading activity, as one prediction', async () => {
    // Six weeks, one activity each Monday at 9, another one 5 minutes later: in the last week both once.
    const mondays = [0, 7, 14, 21, 28, 35].flatMap((day) => {
      const atMs = (days.startDay + day) * 86_400_000 + 9.5 * 3_600_000;
      return [`u,first,${instant(atMs)}`, `u,second,${instant(atMs + 300_000)}`];
    });
    const end = `v,other,${instant((days.startDay + 37) * 86_400_000)}`;
    const found = await report([header, ...mondays, end], '--horizon', '7');
    expect(found).toMatchObject({ users: 2, cut_offs: 1, evaluations: 1, predictions: 3 });
    expect(found.control).toEqual({ predictions: 2, came_true: 2, precision: 1 });
    expect(found.unchecked.at(-1)).toEqual({ threshold: 0.8, count: 3, mean_stated: 1, realised: 1 });
  });

  it('counts and names bad lines and keeps the good ones', async () => {
    const good = sampleLines();
    const bad = [
      'user-1,dashboard',
      ',dashboard,2026-02-01T09:00:00Z',
      'user-1,dashboard,2026-02-30T09:00:00Z',
      '"x',
    ];
    const found = await report([header, ...bad, ...good]);
    expect(found.lines).toMatchObject({ read: good.length + 4, bad: 4 });
    expect(found.lines.bad_lines.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
    expect(found.predictions).toBe((await report([header, ...good])).predictions);
  });

  it('reads times without an offset on the clock of their line, else on the one that is given', async () => {
    const local = (day: number, zone: string) =>
      `u,dashboard,${instant((days.startDay + day) * 86_400_000 + 9.5 * 3_600_000).slice(0, 19)}${zone}`;
    // The clocks of New York change on 8 March 2026: read as UTC and looked at from there, the habit would move.
    const daysOf = Array.from({ length: 60 }, (_nothing, day) => day - 15);
    const given = await report(
      [header, ...daysOf.map((day) => local(day, ''))],
      '--timezone',
      'America/New_York',
    );
    const named = await report([
      `${header},timezone`,
      ...daysOf.map((day) => local(day, ',America/New_York')),
    ]);
    expect(given).toEqual(named);
    expect(given.stated_at_least[0]).toMatchObject({ realised: 1 });
    expect(given.control.precision).toBe(1);
  });

  it('draws a reliability diagram', async () => {
    const plot = join(folder, 'plot.svg');
    const { exitCode, output } = await backtest([header, ...sampleLines()], '--plot', plot);
    expect(exitCode).toBe(0);
    expect(output).toMatch(/STATED CONFIDENCE +PREDICTIONS +MEAN STATED +CAME TRUE\n0\.0 to 0\.1/);
    expect(output).toContain('same hour as last week');
    const drawing = await readFile(plot, 'utf8');
    expect(drawing).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(drawing.match(/<circle /g)?.length).toBeGreaterThan(2);
    expect(drawing).not.toContain('NaN');
  });

  it.each([
    ['a log that is too short', [header, 'u,a,2026-01-01T00:00:00Z'], [], 1, 'spans 1 days; 37 are needed'],
    ['a log without a column', ['user_id,occurred_at', 'u,2026-01-01'], [], 1, 'no column activity_type'],
    ['an unknown timezone', [header], ['--timezone', 'Mars/Olympus'], 2, 'IANA name'],
    ['a horizon longer than the days', [header], ['--days', '14', '--horizon', '14'], 2, '--horizon must be'],
  ])('says what is wrong with %s', async (_title, lines, flags, exitCode, message) => {
    const run = await backtest(lines, ...flags);
    expect(run).toMatchObject({ exitCode, output: '' });
    expect(run.messages).toContain(message);
  });

  it('says that there is no such file', async () => {
    const run = await runPresage(['backtest', '--log', join(folder, 'none.csv')], {});
    expect(run).toMatchObject({ exitCode: 1, output: '' });
    expect(run.messages).toContain('There is no file none.csv');
  });
});
