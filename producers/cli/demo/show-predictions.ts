import { writeFile } from 'node:fs/promises';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { patternDetection, sweepResultSchema } from '../../../shared/contracts/pattern-detection.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import type { LlmServer } from '../../../shared/emulators/llm-server.ts';
import { patternSchema } from '../../../shared/patterns/pattern.ts';
import { sampleLogCsv } from '../../../shared/sample-log/sample-log-csv.ts';
import { formatTable } from '../format-table.ts';
import type { Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';
import { indented } from './indented.ts';
import { patternInWords, windowInWords } from './prediction-in-words.ts';
import { runCommand } from './run-command.ts';

const users = 300;
const days = 35;
const waitMs = 300_000;
const rowsShown = 10;

type Say = (line?: string) => void;

/** A page that is made ahead of time. */
export interface PredictedPage {
  userId: string;
  pageKey: string;
}

/**
 * Steps 6 to 8: what made-up users did, what comes of looking for patterns in it, and what is predicted. Answers one
 * of the predictions.
 */
export async function showPredictions(
  fleet: Fleet,
  models: LlmServer,
  logFile: string,
  say: Say,
): Promise<PredictedPage> {
  await writeFile(logFile, sampleLogCsv({ users, days, nowMs: Date.now() }));
  say();
  say(`6. presage activity import sample-log.csv   (${days} days of ${users} made-up users)`);
  say(indented(await runCommand(fleet, ['activity', 'import', logFile])));

  say();
  say(`7. presage enqueue pattern-detection --json '{}' --wait   (one tick: all users are looked at)`);
  await showTick(fleet, models, say);
  await showProposals(fleet, say);

  say();
  say('8. What is predicted, in MySQL, table generation_queue');
  return await showRows(fleet, say);
}

/** Step 10: a tick that finds nothing new. */
export async function showQuietTick(fleet: Fleet, models: LlmServer, say: Say): Promise<void> {
  say();
  say('10. The same tick again: nobody did anything since');
  await showTick(fleet, models, say);
}

async function showTick(fleet: Fleet, models: LlmServer, say: Say): Promise<void> {
  const before = models.answered().chat.calls;
  const command = ['enqueue', patternDetection.name, '--json', '{}', `--wait=${waitMs}`];
  const result = sweepResultSchema.parse(JSON.parse(await runCommand(fleet, command)));
  say(`   ${JSON.stringify(result)}`);
  say(`   Llama's emulator was called ${models.answered().chat.calls - before} times.`);
}

/** What can become of a pattern that the model proposed, as metrics and as people name it. */
const outcomes = [
  ['detected', 'confirmed'],
  ['doubtful', 'doubtful'],
  ['refuted', 'refuted'],
  ['same', 'the same as another'],
  ['malformed', 'no patterns'],
  ['unknown_activity', 'about unknown activities'],
] as const;

async function showProposals(fleet: Fleet, say: Say): Promise<void> {
  const [url = ''] = fleet.describe().health[patternDetection.name] ?? [];
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const shown = outcomes.flatMap(([outcome, words]) => {
    const series = `presage_pattern_proposals_total{proposed_by="model",outcome="${outcome}"} `;
    const line = metrics.split('\n').find((text) => text.startsWith(series));
    return line === undefined ? [] : [`${line.slice(series.length)} ${words}`];
  });
  say(`   What became of its proposals, tested on each user's own days: ${shown.join(', ')}.`);
}

/** One prediction of each page, so that every kind of user is seen. */
async function showRows(fleet: Fleet, say: Say): Promise<PredictedPage> {
  await using database = openDatabase(
    readSettings({ database: databaseSettings }, fleet.environment).database,
  );
  const rows = await database.db
    .selectFrom('generation_queue')
    .select(['user_id', 'page_key', 'pattern', 'claimed_confidence', 'confidence', 'hits', 'occasions'])
    .select(['window_start', 'window_end', 'timezone'])
    .orderBy('id', 'desc')
    .execute();
  const predictions = rows.map((row) => ({ ...row, pattern: patternSchema.parse(JSON.parse(row.pattern)) }));
  const shown = [...new Map(predictions.map((prediction) => [prediction.page_key, prediction])).values()]
    .sort((one, other) => other.confidence - one.confidence)
    .slice(0, rowsShown);
  const table = formatTable(
    ['USER', 'PAGE', 'PATTERN', 'CLAIMED', 'HELD', 'VERIFIED', 'NEEDED'],
    shown.map((prediction) => [
      prediction.user_id,
      prediction.page_key,
      patternInWords(prediction.pattern),
      prediction.claimed_confidence?.toFixed(2) ?? '',
      `${prediction.hits} of ${prediction.occasions}`,
      prediction.confidence.toFixed(2),
      windowInWords(prediction.window_start, prediction.window_end, prediction.timezone ?? 'UTC'),
    ]),
  );
  say(indented(table));
  say(
    `   ${rows.length} predictions, one of each page shown. CLAIMED is what the model believed (empty: statistics`,
  );
  say("   found it), VERIFIED what the user's own days support; below 0.70 no page is made.");
  // The one that is farthest ahead: its page does not expire while it is looked at.
  const example = shown
    .toSorted((one, other) => other.window_start.getTime() - one.window_start.getTime())
    .find(({ pattern }) => pattern.kind === 'time');
  if (!example) throw new CommandFailed('Nothing was predicted.');
  return { userId: example.user_id, pageKey: example.page_key };
}
