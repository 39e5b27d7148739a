import type { ServedModel } from '../../shared/models/served-model.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import { parseFeatures } from './parse-features.ts';
import type { AskedLead } from './score-leads.ts';
import type { LeadOutcome, RowContext } from './score-row.ts';
import type { ShadowRows } from './shadow-rows.ts';

/** After a slice it is looked whether somebody waits for an answer: one takes the event loop a few milliseconds. */
const rowsPerSlice = 256;
/** An answer that has just been made is still to be settled and told. */
const quietMs = 50;
const maxWaitingRows = 20_000;
/** Of features, which other systems may have written too. */
const maxWaitingCharacters = 64 * 1024 * 1024;

/** What the champion was asked about for an answer that is recorded, and what it said. */
export interface AnsweredLeads extends Pick<RowContext, 'jobId' | 'modelVersion' | 'scoredAt'> {
  asked: readonly AskedLead[];
  /** Of these leads, and perhaps of others. */
  outcomes: ReadonlyMap<string, LeadOutcome>;
}

/**
 * Has the challenger score what the champion has scored, and records both. It never delays or changes an answer:
 * nothing of it is waited for, and nothing of it begins while an answer is being made in this process. What does not fit
 * into its memory meanwhile is skipped, and counted. Disposing drops what waits, at once.
 */
export interface Shadow extends Disposable {
  /** Makes an answer. */
  whileAnswering<Answer>(answer: () => Promise<Answer>): Promise<Answer>;
  /** Keeps leads until no answer is being made; nothing without a challenger. To be called while answering. */
  offer(answered: AnsweredLeads): void;
}

export interface ShadowOptions {
  challenger: Pick<ServedModel<'binary_classifier'>, 'acquire' | 'current'>;
  rows: ShadowRows;
  metrics: Pick<Metrics, 'shadowRows'>;
  log: Logger;
}

/** What leads of one answer have in common. */
interface Answer extends Pick<AnsweredLeads, 'jobId' | 'modelVersion' | 'scoredAt'> {
  modelId: string;
  /** The challenger at that time: another one is not compared with it. */
  challengerVersion: string;
}

interface WaitingLead extends AskedLead {
  answer: Answer;
  /** What the champion said; null: it rejected the lead. */
  probability: number | null;
}

export function openShadow({ challenger, rows, metrics, log }: ShadowOptions): Shadow {
  /** What is in hand stays in it until it is done. */
  const waiting: WaitingLead[] = [];
  let waitingCharacters = 0;
  let answering = 0;
  let isQuiet = true;
  let isWorking = false;
  let isFailing = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let release: (() => void) | undefined;

  function count(outcome: 'compared' | 'skipped' | 'failed', rowCount: number, answer: Answer): void {
    const { modelId: model, challengerVersion: version } = answer;
    if (rowCount > 0) metrics.shadowRows.inc({ model, version, outcome }, rowCount);
  }

  /** What may be compared now: the first that wait, all of them for the same challenger. */
  function nextSlice(): WaitingLead[] {
    const version = waiting[0]?.answer.challengerVersion;
    const leads = isQuiet ? waiting.slice(0, rowsPerSlice) : [];
    const others = leads.findIndex(({ answer }) => answer.challengerVersion !== version);
    return others === -1 ? leads : leads.slice(0, others);
  }

  function remove(leads: readonly WaitingLead[]): void {
    for (const { features } of waiting.splice(0, leads.length)) waitingCharacters -= features.length;
  }

  /** Answers how many leads were recorded: not those that were forgotten since, or recorded before. */
  async function compare(leads: readonly WaitingLead[], challengerVersion: string): Promise<number> {
    using lease = challenger.acquire();
    if (lease?.manifest.version !== challengerVersion) return 0;
    release = () => lease[Symbol.dispose]();
    const scores = await lease.score(leads.map(({ features }) => parseFeatures(features) ?? {}));
    if (isClosed) return 0;
    return await rows.record(
      leads.map(({ answer, leadId, probability }, place) => {
        const score = scores[place];
        if (!score) throw new Error('the challenger must answer one result per row');
        return {
          job_id: answer.jobId,
          lead_id: leadId,
          model_id: answer.modelId,
          champion_version: answer.modelVersion,
          challenger_version: challengerVersion,
          champion_probability: probability,
          challenger_probability: score.kind === 'scored' ? score.probability : null,
          scored_at: answer.scoredAt,
        };
      }),
    );
  }

  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    for (;;) {
      const leads = nextSlice();
      const answer = leads[0]?.answer;
      if (!answer) break;
      try {
        const compared = await compare(leads, answer.challengerVersion);
        if (isClosed) break;
        count('compared', compared, answer);
        count('skipped', leads.length - compared, answer);
        isFailing = false;
      } catch (error) {
        if (isClosed) break;
        count('failed', leads.length, answer);
        const problem = { err: error, version: answer.challengerVersion };
        if (!isFailing) log.warn(problem, 'leads are not compared with the challenger');
        isFailing = true;
      }
      remove(leads);
    }
    isWorking = false;
  }

  return {
    async whileAnswering(answer) {
      answering += 1;
      isQuiet = false;
      clearTimeout(timer);
      try {
        return await answer();
      } finally {
        answering -= 1;
        if (answering === 0 && !isClosed) {
          timer = setTimeout(() => {
            isQuiet = true;
            void work();
          }, quietMs);
        }
      }
    },
    offer({ jobId, modelVersion, scoredAt, asked, outcomes }) {
      const info = challenger.current();
      if (isClosed || !info || info.manifest.version === modelVersion) return;
      const { model_id: modelId, version: challengerVersion } = info.manifest;
      const answer: Answer = { jobId, modelVersion, scoredAt, modelId, challengerVersion };
      for (const [place, { leadId, features }] of asked.entries()) {
        const hasRoom =
          waiting.length < maxWaitingRows && waitingCharacters + features.length <= maxWaitingCharacters;
        if (!hasRoom) return count('skipped', asked.length - place, answer);
        const outcome = outcomes.get(leadId);
        const probability = outcome?.kind === 'scored' ? outcome.score.probability : null;
        waitingCharacters += features.length;
        waiting.push({ answer, leadId, features, probability });
      }
    },
    [Symbol.dispose]() {
      isClosed = true;
      clearTimeout(timer);
      for (const [answer, leads] of Map.groupBy(waiting, (lead) => lead.answer)) {
        count('skipped', leads.length, answer);
      }
      waiting.length = 0;
      // Whatever the challenger still does: its version may be unloaded now.
      release?.();
    },
  };
}
