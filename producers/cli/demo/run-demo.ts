import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { Presets, SingleBar } from 'cli-progress';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings, type Environment } from '../../../shared/config/read-settings.ts';
import {
  callTimePrediction,
  type CallTimePrediction,
} from '../../../shared/contracts/call-time-prediction.ts';
import type { ResultOf } from '../../../shared/contracts/define-queue.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { openGuard } from '../../../shared/embedded/open-guard.ts';
import { StackError } from '../../../shared/embedded/stack-error.ts';
import { openSagemakerServer } from '../../../shared/emulators/sagemaker-server.ts';
import { listenForStop } from '../../../shared/process/listen-for-stop.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';
import type { CliContext } from '../cli-context.ts';
import { contactsFromCsv } from '../contacts-from-csv.ts';
import { startFleet, type Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';

const sampleFile = join(import.meta.dirname, 'sample-contacts.csv');
const mainFile = join(import.meta.dirname, '../../../bin/main.ts');
const contactsThroughApi = 12;
const waitMs = 30_000;

/**
 * Runs the whole fleet on this machine with sample input, and shows what comes back. Uses no key and no
 * account: a local server that speaks SageMaker's protocol stands in for the endpoint, whatever the
 * environment says.
 */
export async function runDemo(
  context: CliContext,
  migrate: (environment: Environment) => Promise<void>,
): Promise<number> {
  const { output } = context;
  const say = (line = ''): void => void output.write(`${line}\n`);
  await using guard = await openGuard();
  using stop = listenForStop(() => guard.hurry());
  const logDirectory = await mkdtemp(join(tmpdir(), 'presage-demo-logs-'));
  guard.removeAtEnd(logDirectory);
  await using endpoint = await openSagemakerServer({ latencyMs: 40 });

  say('Presage demo: Redis, MySQL, a DynamoDB emulator and every process of the fleet, on this machine.');
  say(`The SageMaker endpoint is an emulator: a local server (${endpoint.url}) with invented predictions.`);
  say();
  const startedAt = performance.now();
  try {
    await using fleet = await startFleet({
      ephemeral: true,
      port: 0,
      environment: {
        ...context.stackEnvironment,
        SAGEMAKER_ENDPOINT_NAME: 'demo-call-times',
        AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: endpoint.url,
      },
      workingDirectory: context.workingDirectory,
      migrate,
      guard,
      logger: createLogger({ process: 'demo', level: 'warn' }),
      logDirectory,
      signal: stop.first,
    });
    say(`Started in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s. API: ${fleet.describe().api}`);
    const { contacts } = contactsFromCsv(await readFile(sampleFile, 'utf8'), 'sample-contacts.csv');

    say();
    say(`1. POST /v1/call-times with the first ${contactsThroughApi} contacts`);
    const first = await throughApi(fleet, contacts.slice(0, contactsThroughApi), context);
    showPredictions(first, say);

    say();
    say(
      `2. presage enqueue call-time-prediction --file sample-contacts.csv --wait   (all ${contacts.length})`,
    );
    const second = await throughCommandLine(fleet);
    showPredictions(second, say);

    say();
    say('3. What the worker wrote to MySQL, table call_time_predictions');
    await showRows(fleet, say);
    say();
    say(`The endpoint was called ${endpoint.requests.length} times: once for each valid phone number.`);
  } catch (error) {
    if (error instanceof StackError) throw new CommandFailed(error.message, { cause: error });
    if (error !== stop.first.reason) throw error;
    say('Stopped.');
    return 1;
  }
  say('Everything is stopped again. Next: npm start');
  return 0;
}

const resultSchema = callTimePrediction.result;
type Result = ResultOf<typeof callTimePrediction>;

/** Sends the contacts in small requests, so that there is something to see. */
async function throughApi(
  fleet: Fleet,
  contacts: readonly unknown[],
  { messages }: CliContext,
): Promise<Result> {
  const result: Result = { predictions: [], errors: [] };
  const perRequest = 4;
  const bar = messages.isTTY
    ? new SingleBar({ format: '   {bar} {value}/{total} contacts', stream: messages }, Presets.shades_classic)
    : undefined;
  bar?.start(contacts.length, 0);
  for (let start = 0; start < contacts.length; start += perRequest) {
    const response = await fetch(`${fleet.describe().api}/v1/call-times?wait_ms=${waitMs}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ contacts: contacts.slice(start, start + perRequest) }),
    });
    if (response.status !== 200)
      throw new CommandFailed(`The API answered ${response.status}: ${await response.text()}`);
    const part = resultSchema.parse(await response.json());
    result.predictions.push(...part.predictions);
    result.errors.push(...part.errors);
    bar?.update(Math.min(start + perRequest, contacts.length));
  }
  bar?.stop();
  return result;
}

async function throughCommandLine(fleet: Fleet): Promise<Result> {
  const command = ['enqueue', callTimePrediction.name, '--file', sampleFile, `--wait=${waitMs}`];
  const child = spawn(process.execPath, [mainFile, ...command], {
    env: { ...fleet.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (child.exitCode !== 0) throw new CommandFailed('presage enqueue did not succeed; see above.');
  return resultSchema.parse(JSON.parse(printed));
}

function showPredictions({ predictions, errors }: Result, say: (line: string) => void): void {
  for (const prediction of predictions) say(`   ${describe(prediction)}`);
  for (const { contactId, code, message } of errors)
    say(`   ${contactId.padEnd(12)} error ${code}: ${message}`);
  const cached = predictions.filter((prediction) => prediction.cached).length;
  say(`   ${predictions.length} predictions (${cached} from the cache), ${errors.length} errors`);
}

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function describe({ contactId, optimalCallTime, source, next_call_window }: CallTimePrediction): string {
  const { preferredDayOfWeek, preferredHourRange, confidence } = optimalCallTime;
  const days = preferredDayOfWeek.map((day) => dayNames[day]).join(' ');
  return [
    contactId.padEnd(12),
    days.padEnd(19),
    `${preferredHourRange.start}-${preferredHourRange.end} h`.padEnd(8),
    confidence.toFixed(2),
    source.padEnd(10),
    `next ${next_call_window.start} to ${next_call_window.end}`,
  ].join(' ');
}

const countSchema = z.coerce.number();

async function showRows(fleet: Fleet, say: (line: string) => void): Promise<void> {
  await using database = openDatabase(
    readSettings({ database: databaseSettings }, fleet.environment).database,
  );
  const rows = await database.db
    .selectFrom('call_time_predictions')
    .select((row) => ['timezone', row.fn.countAll().as('rows'), row.fn.max('confidence').as('confidence')])
    .groupBy('timezone')
    .orderBy('timezone')
    .execute();
  for (const row of rows) {
    const confidence = countSchema.parse(row.confidence).toFixed(2);
    say(
      `   ${row.timezone.padEnd(22)} ${String(row.rows).padStart(2)} rows, highest confidence ${confidence}`,
    );
  }
}
