import type { Kysely } from 'kysely';
import type { LeadShadowScoresTable } from '../../../shared/database/lead-shadow-scores-table.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { firstIdSince } from '../../../shared/ledger/first-id-since.ts';

const rowsPerPage = 5_000;
/** They say enough, and take some seconds. */
const mostRows = 200_000;

/** Two versions of a model that scored the same leads. */
export interface VersionPair {
  modelId: string;
  champion: string;
  challenger: string;
}

/** What both versions said of the same leads. */
export interface ComparedScores {
  /** The last that were compared. */
  pair: VersionPair;
  /** What both stated of the leads that both scored, in the same order. */
  champion: Float64Array;
  challenger: Float64Array;
  rows: number;
  rejectedByChampionOnly: number;
  rejectedByChallengerOnly: number;
  rejectedByBoth: number;
  /** Rows of the same challenger beside other champions: they are not among those above. */
  besideOthers: number;
  /** When the champion answered. */
  first: Date;
  last: Date;
  /** Whether older rows were not looked at. */
  isCutShort: boolean;
}

export interface WantedScores {
  modelId: string;
  /** `undefined`: whichever was compared last. */
  challenger: string | undefined;
  /** Of jobs that were accepted since. */
  since: Date;
  /** No more rows are looked at, whosever they are. */
  most?: number;
}

/**
 * Reads what a challenger and the champion that answered beside it last said of the same leads, page by page from the
 * latest job on. `undefined` where there is nothing.
 *
 * @throws StoreUnavailableError
 */
export async function readComparedScores(
  db: Kysely<Tables>,
  { modelId, challenger, since, most = mostRows }: WantedScores,
): Promise<ComparedScores | undefined> {
  let found: CollectedScores | undefined;
  let seen = 0;
  for await (const page of pagesSince(db, since)) {
    const rows = page.slice(0, most - seen);
    seen += rows.length;
    for (const row of rows) {
      if (row.model_id !== modelId || row.challenger_version !== (challenger ?? row.challenger_version))
        continue;
      found ??= collectScores(row);
      found.add(row);
    }
    if (rows.length < page.length) return found?.collected(true);
  }
  return found?.collected(false);
}

interface CollectedScores {
  add(row: LeadShadowScoresTable): void;
  collected(isCutShort: boolean): ComparedScores;
}

/** Collects what was said by the two versions that a row names. */
function collectScores(latest: LeadShadowScoresTable): CollectedScores {
  const { model_id: modelId, champion_version: champion, challenger_version: challenger } = latest;
  const stated: number[] = [];
  const statedBeside: number[] = [];
  const counts = {
    rows: 0,
    rejectedByChampionOnly: 0,
    rejectedByChallengerOnly: 0,
    rejectedByBoth: 0,
    besideOthers: 0,
  };
  let [first, last] = [latest.scored_at, latest.scored_at];

  return {
    add(row) {
      if (row.challenger_version !== challenger) return;
      if (row.champion_version !== champion) {
        counts.besideOthers += 1;
        return;
      }
      counts.rows += 1;
      if (row.scored_at < first) first = row.scored_at;
      if (row.scored_at > last) last = row.scored_at;
      const { champion_probability: one, challenger_probability: other } = row;
      if (one !== null && other !== null) {
        stated.push(one);
        statedBeside.push(other);
      } else if (one !== null) counts.rejectedByChallengerOnly += 1;
      else if (other !== null) counts.rejectedByChampionOnly += 1;
      else counts.rejectedByBoth += 1;
    },
    collected: (isCutShort) => ({
      pair: { modelId, champion, challenger },
      champion: Float64Array.from(stated),
      challenger: Float64Array.from(statedBeside),
      ...counts,
      first,
      last,
      isCutShort,
    }),
  };
}

/** Every row of jobs that were accepted since, in the order of the primary key, from its end. */
async function* pagesSince(db: Kysely<Tables>, since: Date): AsyncGenerator<LeadShadowScoresTable[]> {
  for (let before: LeadShadowScoresTable | undefined; ;) {
    const page = await readPage(db, since, before);
    yield page;
    before = page.at(-1);
    if (page.length < rowsPerPage) return;
  }
}

function readPage(
  db: Kysely<Tables>,
  since: Date,
  before: LeadShadowScoresTable | undefined,
): Promise<LeadShadowScoresTable[]> {
  let query = db.selectFrom('lead_shadow_scores').selectAll().where('job_id', '>=', firstIdSince(since));
  if (before) {
    const { job_id: jobId, lead_id: leadId, challenger_version: version } = before;
    query = query.where((row) =>
      row.or([
        row('job_id', '<', jobId),
        row('job_id', '=', jobId).and('lead_id', '<', leadId),
        row('job_id', '=', jobId).and('lead_id', '=', leadId).and('challenger_version', '<', version),
      ]),
    );
  }
  return query
    .orderBy('job_id', 'desc')
    .orderBy('lead_id', 'desc')
    .orderBy('challenger_version', 'desc')
    .limit(rowsPerPage)
    .execute();
}
