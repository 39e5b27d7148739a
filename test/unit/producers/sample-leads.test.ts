import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { readLeadConversion } from '../../support/open-test-bundles.ts';
import { root } from '../../support/source-files.ts';

const rowsSchema = z.array(z.record(z.string(), z.string()));

async function readRows(file: string, delimiter: string) {
  const bytes = await readFile(path.join(root, file));
  const text = file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  return rowsSchema.parse(parse(text, { columns: true, delimiter }));
}

it('holds rows of the training data as their README says, with the columns of the model and no other', async () => {
  const samples = await readRows('producers/cli/demo/sample-leads/sample-leads.csv', ',');
  const training = await readRows('training/lead-conversion/bank-marketing.csv.gz', ';');
  const { manifest } = await readLeadConversion();
  const columns = manifest.feature_columns.map(({ name }) => name);

  expect(samples).toHaveLength(200);
  for (const [place, { lead_id: leadId, ...values }] of samples.entries()) {
    const origin = training[72 + 144 * place];
    const expected = Object.entries(values).filter(([, value]) => value !== '');
    expect(leadId).toBe(`lead-${String(place + 1).padStart(3, '0')}`);
    expect(Object.keys(values)).toEqual(columns);
    expect(origin).toMatchObject(Object.fromEntries(expected));
    expect(expected).toHaveLength(leadId === 'lead-200' ? 5 : columns.length);
  }
});
