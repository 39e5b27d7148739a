import { mkdirSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoEnvironment } from '../../producers/cli/demo/demo-environment.ts';
import { databaseFromUrl } from '../../shared/config/database-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { openDatabase } from '../../shared/database/open-database.ts';
import { openGuard } from '../../shared/embedded/open-guard.ts';
import { startEmbeddedStack } from '../../shared/embedded/start-embedded-stack.ts';
import { inventAnswer } from '../../shared/emulators/invent-answer.ts';
import { openLlmServer } from '../../shared/emulators/llm-server.ts';
import { openSagemakerServer } from '../../shared/emulators/sagemaker-server.ts';
import { listenForStop } from '../../shared/process/listen-for-stop.ts';
import { sampleLogCsv } from '../../shared/sample-log/sample-log-csv.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { findLosses, loggedErrors, untilSettled } from './find-losses.ts';
import { openMixedFleet, type MixedFleet, type Version } from './open-mixed-fleet.ts';
import { openSteadyWork } from './open-steady-work.ts';
import { previousRevision, root, unpackPrevious } from './unpack-previous.ts';

// A rolling upgrade for real: the fleet of the version before is at work, with requests of every kind coming in, and is
// exchanged for this one process by process, then back again.
//
//   npm run test:upgrade [-- <revision>]

/** In the order of an upgrade: who takes work before who makes it. Taken back in the other order. */
const commands: readonly (readonly string[])[] = [
  ...allQueues.map(({ name }) => ['worker', name]),
  ['relay'],
  ['cron'],
  ['api'],
];

const failuresShown = 20;

const startedAt = performance.now();
function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

async function exchange(fleet: MixedFleet, from: Version, to: Version, signal: AbortSignal): Promise<void> {
  for (const command of to === 'new' ? commands : commands.toReversed()) {
    signal.throwIfAborted();
    await fleet.start(to, command);
    // Producers of both versions, whoever takes it.
    for (const version of ['old', 'new'] as const) {
      const payload = '{"model_id":"macro-effects","rows":[{}],"missing":"impute"}';
      await fleet.run(version, ['enqueue', 'model-serving', '--json', payload, '--wait=60000']);
    }
    await fleet.stop(from, command);
    say(`${command.join(' ')}: ${from} → ${to}`);
  }
}

async function testUpgrade(revision: string): Promise<string[]> {
  await using guard = await openGuard();
  using stop = listenForStop(() => guard.hurry());
  const directory = await mkdtemp(join(tmpdir(), 'presage-upgrade-'));
  guard.removeAtEnd(directory);
  const folders = { old: join(directory, 'previous'), new: root };
  unpackPrevious(revision, folders.old);
  say(`unpacked ${revision}`);

  const logDirectory = join(directory, 'logs');
  mkdirSync(logDirectory);
  const logger = createLogger({ process: 'upgrade', level: 'warn' });
  await using endpoint = await openSagemakerServer({ latencyMs: 40 });
  await using models = await openLlmServer({ latencyMs: 100, answer: inventAnswer });
  const environment = {
    ...demoEnvironment(process.env, { sagemakerUrl: endpoint.url, llm: models }),
    PATTERN_SWEEP_CRON: '*/10 * * * * *',
    LOG_LEVEL: 'info',
  };
  await using stack = await startEmbeddedStack({
    directory: join(directory, 'data'),
    environment,
    guard,
    logger,
  });
  await using fleet = openMixedFleet({
    folders,
    environment: stack.environment,
    logDirectory,
    guard,
    logger,
  });

  await fleet.run('old', ['migrate', 'up']);
  await fleet.run('old', ['models', 'install-samples']);
  const log = join(directory, 'log.csv');
  await writeFile(log, [...sampleLogCsv({ users: 40, days: 35, nowMs: Date.now(), seed: 1 })].join(''));
  await fleet.run('old', ['activity', 'import', log]);
  await fleet.run('old', ['leads', 'import', join(root, 'producers/cli/demo/sample-leads/sample-leads.csv')]);
  for (const command of commands) await fleet.start('old', command);
  say('the old fleet is at work');

  const work = openSteadyWork(() => fleet.chooseApi());
  try {
    say(`migrate up: ${(await fleet.run('new', ['migrate', 'up'])).trim()}`);
    await exchange(fleet, 'old', 'new', stop.first);
    say('upgraded');
    await exchange(fleet, 'new', 'old', stop.first);
    say('rolled back');
  } finally {
    await work[Symbol.asyncDispose]();
    say(`${work.answered} requests answered, ${work.failures.length} failed`);
    for (const failure of work.failures.slice(0, failuresShown)) say(failure);
  }
  await fleet.stop('old', ['cron']);
  await using database = openDatabase({ ...databaseFromUrl(stack.addresses.mysql), poolSize: 2, tls: false });
  for (const { queue, state, jobs } of await untilSettled(database.db)) say(`${queue}: ${jobs} ${state}`);
  return [
    ...(work.failures.length > 0 ? ['requests failed'] : []),
    ...(await findLosses(work, database.db, fleet.chooseApi())),
    ...loggedErrors(logDirectory),
  ];
}

try {
  const problems = await testUpgrade(process.argv[2] ?? previousRevision());
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  say(problems.length === 0 ? 'nothing was lost, and nobody was refused' : `${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
