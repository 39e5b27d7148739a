import type { FeatureRow } from '../../shared/models/prepare-features.ts';
import type { ModelLease } from '../../shared/models/served-model.ts';
import { parseFeatures } from './parse-features.ts';
import { fingerprintOf, type LeadScore, type ScoreCache } from './score-cache.ts';
import type { LeadOutcome } from './score-row.ts';
import type { Note } from './with-telemetry.ts';

export interface ScoreLeadsOptions {
  model: Pick<ModelLease<'binary_classifier'>, 'sha256' | 'score'>;
  /** What is known of leads, by id, as JSON text; a lead that does not exist is missing from the answer. */
  readLeads: (leadIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Left out: every lead is scored now, and nothing is kept. */
  cache: ScoreCache | undefined;
  note: Note;
}

/** A lead that the model was asked about. */
export interface AskedLead {
  leadId: string;
  /** As they were read: JSON text. */
  features: string;
}

export interface ScoredLeads {
  /** Of every lead that was asked for. */
  outcomes: Map<string, LeadOutcome>;
  /** The leads among them that the model was asked about just now. */
  asked: readonly AskedLead[];
  /** Keeps what the model said just now in the cache. Never rejects. */
  remember(): Promise<void>;
}

const notFound: LeadOutcome = {
  kind: 'failed',
  code: 'LEAD_NOT_FOUND',
  message: 'There is no lead with this id',
};

const notAnObject: LeadOutcome = {
  kind: 'failed',
  code: 'FEATURE_REJECTED',
  message: 'The features of the lead are not a JSON object',
};

/**
 * Finds out the score of each lead, or why it has none: reads the leads, then the cache, and asks the model for the
 * rest.
 *
 * @throws what `readLeads` and the model throw
 */
export async function scoreLeads(
  leadIds: readonly string[],
  { model, readLeads, cache, note }: ScoreLeadsOptions,
): Promise<ScoredLeads> {
  const outcomes = new Map<string, LeadOutcome>(leadIds.map((leadId) => [leadId, notFound]));
  const featuresOf = await readLeads(leadIds);
  // Only the cache looks at fingerprints.
  const leads = leadIds.flatMap((leadId) => {
    const features = featuresOf.get(leadId);
    return features === undefined
      ? []
      : [{ leadId, features, fingerprint: cache ? fingerprintOf(model.sha256, features) : '' }];
  });
  const known = (await cache?.read(leads)) ?? new Map<string, LeadScore>();
  if (cache) note({ cache_hits: known.size, cache_misses: leads.length - known.size });
  for (const [leadId, score] of known) outcomes.set(leadId, { kind: 'scored', score });

  const toScore: (AskedLead & { fingerprint: string; row: FeatureRow })[] = [];
  for (const { leadId, features, fingerprint } of leads) {
    if (known.has(leadId)) continue;
    const row = parseFeatures(features);
    if (row) toScore.push({ leadId, features, fingerprint, row });
    else outcomes.set(leadId, notAnObject);
  }
  const results = toScore.length === 0 ? [] : await model.score(toScore.map(({ row }) => row));
  const scored: { leadId: string; fingerprint: string; score: LeadScore }[] = [];
  for (const [place, { leadId, fingerprint }] of toScore.entries()) {
    const result = results[place];
    if (!result) throw new Error('the model must answer one result per row');
    if (result.kind === 'rejected') {
      outcomes.set(leadId, { kind: 'failed', code: 'FEATURE_REJECTED', message: result.message });
    } else {
      const { probability, confidence, coverage } = result;
      const score = { probability, confidence, coverage };
      outcomes.set(leadId, { kind: 'scored', score });
      scored.push({ leadId, fingerprint, score });
    }
  }
  return { outcomes, asked: toScore, remember: async () => cache?.write(scored) };
}
