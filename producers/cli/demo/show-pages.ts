import { setTimeout as delay } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { databaseSettings } from '../../../shared/config/database-settings.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { openDatabase, type Database } from '../../../shared/database/open-database.ts';
import { pageDocumentSchema, type PageBlock } from '../../../shared/pages/page-document.ts';
import type { CliContext } from '../cli-context.ts';
import type { Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';
import { askApi } from './ask-api.ts';
import type { PredictedPage } from './show-predictions.ts';

const waitMs = 300_000;
const lookEveryMs = 100;

type Say = (line?: string) => void;

const servedPageSchema = z.object({
  ...pageDocumentSchema.shape,
  user_id: z.string(),
  page_key: z.string(),
  expires_at: z.string(),
  model_used: z.string().nullable(),
});

/** Step 9: waits until the pages of all predictions are made, and shows one. */
export async function showPages(
  fleet: Fleet,
  example: PredictedPage,
  say: Say,
  { messages }: CliContext,
): Promise<void> {
  await using database = openDatabase(
    readSettings({ database: databaseSettings }, fleet.environment).database,
  );
  say();
  say('9. Meanwhile the pages were made: GET /v1/pages/:user_id/:page_key');
  const bar = messages.isTTY
    ? new SingleBar({ format: '   {bar} {value}/{total} pages', stream: messages }, Presets.shades_classic)
    : undefined;
  const ready = await untilMade(database, bar).finally(() => bar?.stop());
  const path = `/v1/pages/${encodeURIComponent(example.userId)}/${encodeURIComponent(example.pageKey)}`;
  const page = servedPageSchema.parse(await askApi(fleet, path));
  say(`   ${ready} pages are ready, each before its user needs it. One of them:`);
  say();
  say(`     ${page.title}`);
  for (const block of page.blocks) for (const line of linesOf(block)) say(`       ${line}`);
  say(`     ${page.user_id}/${page.page_key}, ${page.model_used}, until ${page.expires_at}`);
}

/** How many pages there are when no more are to come. */
async function untilMade({ db }: Database, bar: SingleBar | undefined): Promise<number> {
  const deadline = performance.now() + waitMs;
  bar?.start(1, 0);
  while (performance.now() < deadline) {
    const rows = await db
      .selectFrom('generation_queue')
      .select(({ fn }) => ['status', fn.countAll<number>().as('rows')])
      .groupBy('status')
      .execute();
    const rowsOf = (...statuses: string[]) =>
      rows.filter((row) => statuses.includes(row.status)).reduce((sum, row) => sum + row.rows, 0);
    const completed = rowsOf('completed');
    const toCome = rowsOf('pending', 'processing');
    bar?.setTotal(completed + toCome);
    bar?.update(completed);
    if (toCome === 0) return completed;
    await delay(lookEveryMs);
  }
  throw new CommandFailed(`Not all pages are made after ${waitMs} ms.`);
}

function linesOf(block: PageBlock): string[] {
  switch (block.kind) {
    case 'heading':
      return ['', block.text];
    case 'paragraph':
      return [block.text];
    case 'list':
      return block.items.map((item) => `- ${item}`);
    case 'facts':
      return block.items.map(({ label, value }) => `${label}: ${value}`);
    case 'links':
      break;
  }
  return block.items.map(({ label, page_key }) => `> ${label} (${page_key})`);
}
