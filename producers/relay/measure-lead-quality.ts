import type { Kysely } from 'kysely';
import { Gauge, type Registry } from 'prom-client';
import type { Tables } from '../../shared/database/tables.ts';
import { leadQuality, type LeadQuality } from '../../shared/leads/lead-quality.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import { readJudgedScores } from './read-judged-scores.ts';

export interface MeasureLeadQualityOptions {
  db: Kysely<Tables>;
  registry: Registry;
  log: Logger;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

interface VersionQuality extends LeadQuality {
  model: string;
  version: string;
}

const windowMs = 30 * 86_400_000;
/** They say enough, and take MySQL about half a second. */
const mostOutcomes = 20_000;
/** Outcomes come in over days: no scrape needs a later figure. */
const goodForMs = 60_000;

/**
 * Measures how good the scores of each model version turned out to be, when the process's `/metrics` is read: over
 * outcomes of the last 30 days, the latest 20,000 of them, at most once a minute.
 */
export function measureLeadQuality({
  db,
  registry,
  log,
  now = () => Date.now(),
}: MeasureLeadQualityOptions): void {
  let latest: { atMs: number; versions: Promise<VersionQuality[]> } | undefined;

  /** The gauges of one scrape ask at once, and share the answer. */
  function measure(): Promise<VersionQuality[]> {
    const atMs = now();
    if (latest && atMs - latest.atMs < goodForMs) return latest.versions;
    const measured = { atMs, versions: readQuality(db, new Date(atMs - windowMs)) };
    latest = measured;
    measured.versions.catch(() => {
      if (latest === measured) latest = undefined;
    });
    return measured.versions;
  }

  /** @param read answers undefined where there is no figure */
  function gauge(name: string, help: string, read: (quality: LeadQuality) => number | undefined): void {
    new Gauge({
      name,
      help,
      labelNames: ['model', 'version'],
      registers: [registry],
      async collect() {
        // No figure is better than an old one that looks current.
        this.reset();
        try {
          for (const { model, version, ...quality } of await measure()) {
            const value = read(quality);
            if (value !== undefined) this.set({ model, version }, value);
          }
        } catch (error) {
          log.debug({ err: error, metric: name }, 'how good the scores of leads were is not known');
        }
      },
    });
  }

  gauge(
    'presage_lead_outcomes',
    'Scored leads of which it became known in the last 30 days whether they converted',
    ({ leads }) => leads,
  );
  gauge(
    'presage_lead_accuracy_ratio',
    'Share of those leads that did as predicted: to convert from a probability of 0.5 on',
    ({ accuracy }) => accuracy,
  );
  gauge(
    'presage_lead_precision_ratio',
    'Share of the leads predicted to convert that did; none when none was predicted to',
    ({ precision }) => precision,
  );
  gauge(
    'presage_lead_recall_ratio',
    'Share of the converted leads that were predicted to convert; none when none converted',
    ({ recall }) => recall,
  );
  gauge(
    'presage_lead_calibration_error',
    'Mean gap of stated probability and share that converted, over 10 bins of equal width, weighted by leads',
    ({ calibrationError }) => calibrationError,
  );
}

async function readQuality(db: Kysely<Tables>, since: Date): Promise<VersionQuality[]> {
  const scores = await readJudgedScores(db, { since, most: mostOutcomes });
  const byVersion = Map.groupBy(scores, ({ modelId, modelVersion }) => `${modelId} ${modelVersion}`);
  return [...byVersion.values()].flatMap((ofVersion) => {
    const [first] = ofVersion;
    if (!first) return [];
    return [{ model: first.modelId, version: first.modelVersion, ...leadQuality(ofVersion) }];
  });
}
