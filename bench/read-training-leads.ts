import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import type { Manifest } from '../shared/models/manifest.ts';

const dataFile = join(import.meta.dirname, '../training/lead-conversion/bank-marketing.csv.gz');
const rowsSchema = z.array(z.record(z.string(), z.string()));

export interface TrainingLead {
  leadId: string;
  /** By the names of the model's columns, numbers as numbers. */
  features: Record<string, string | number>;
}

/**
 * Rows that the model was trained on, as leads with ids of their own; from the first row again when there are more leads
 * than rows.
 */
export async function readTrainingLeads(
  { feature_columns: columns }: Manifest,
  count: number,
): Promise<TrainingLead[]> {
  const text = gunzipSync(await readFile(dataFile));
  const rows = rowsSchema.parse(parse(text, { columns: true, delimiter: ';' }));
  const features = rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, type }) => [name, type === 'numeric' ? Number(row[name]) : (row[name] ?? '')]),
    ),
  );
  return Array.from({ length: count }, (_, place) => ({
    leadId: `bench-${place}`,
    features: features[place % features.length] ?? {},
  }));
}
