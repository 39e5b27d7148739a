import { PassThrough, Readable } from 'node:stream';
import { runCommand, type BenchOptions } from '../../../../producers/cli/main.ts';

/** Runs the command line with benchmarks that only tell what they were asked. */
async function bench(
  ...argv: string[]
): Promise<{ exitCode: number; names?: readonly string[] } & Partial<BenchOptions>> {
  const asked: { names?: readonly string[] } & Partial<BenchOptions> = {};
  const exitCode = await runCommand(
    ['bench', ...argv],
    {
      environment: {},
      stackEnvironment: {},
      workingDirectory: '/here',
      input: Readable.from([]),
      output: new PassThrough(),
      messages: new PassThrough(),
    },
    {
      runWorkers: () => Promise.resolve(0),
      runBenchmarks(names, options) {
        Object.assign(asked, { names, ...options });
        return Promise.resolve(0);
      },
    },
  );
  return { exitCode, ...asked };
}

describe('presage bench', () => {
  it('makes everything up by itself', async () => {
    expect(await bench('sweep', '--json')).toEqual({
      exitCode: 0,
      names: ['sweep'],
      json: true,
      log: undefined,
    });
  });

  it('takes a log from the folder that it was called in', async () => {
    expect(await bench('sweep', '--log', 'log.csv', '--timezone', 'America/New_York')).toMatchObject({
      json: false,
      log: { path: '/here/log.csv', timezone: 'America/New_York' },
    });
  });

  it('knows timezones', async () => {
    expect(await bench('sweep', '--log', 'log.csv', '--timezone', 'Nowhere/City')).toEqual({ exitCode: 2 });
  });
});
