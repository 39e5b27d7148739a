import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import {
  callTimePrediction,
  type CallTimePrediction,
} from '../../../shared/contracts/call-time-prediction.ts';
import type { ResultOf } from '../../../shared/contracts/define-queue.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import type { SagemakerServer } from '../../../shared/emulators/sagemaker-server.ts';
import type { CliContext } from '../cli-context.ts';
import { contactsFromCsv } from '../contacts-from-csv.ts';
import type { Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';
import { runCommand } from './run-command.ts';

const sampleFile = join(import.meta.dirname, 'sample-contacts.csv');
const contactsThroughApi = 12;
const waitMs = 30_000;

const resultSchema = callTimePrediction.result;
type Result = ResultOf<typeof callTimePrediction>;
type Say = (line?: string) => void;

/** Steps 1 to 3: when to call the sample contacts, through two doors, and what is stored of it. */
export async function showCallTimes(
  fleet: Fleet,
  endpoint: SagemakerServer,
  say: Say,
  context: CliContext,
): Promise<void> {
  const { contacts } = contactsFromCsv(await readFile(sampleFile, 'utf8'), 'sample-contacts.csv');

  say();
  say(`1. POST /v1/call-times with the first ${contactsThroughApi} contacts`);
  showPredictions(await throughApi(fleet, contacts.slice(0, contactsThroughApi), context), say);

  say();
  say(`2. presage enqueue call-time-prediction --file sample-contacts.csv --wait   (all ${contacts.length})`);
  showPredictions(await throughCommandLine(fleet), say);

  say();
  say('3. What the worker wrote to MySQL, table call_time_predictions');
  await showRows(fleet, say);
  say();
  say(`The endpoint was called ${endpoint.requests.length} times: once for each valid phone number.`);
}

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
  return resultSchema.parse(JSON.parse(await runCommand(fleet, command)));
}

function showPredictions({ predictions, errors }: Result, say: Say): void {
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

async function showRows(fleet: Fleet, say: Say): Promise<void> {
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
