import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip, gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse';
import { createDriftMonitor } from '../../../shared/models/drift-monitor.ts';
import { openScorer } from '../../../shared/models/open-scorer.ts';
import type { FeatureRow } from '../../../shared/models/prepare-features.ts';
import { readLeadConversion } from '../../support/open-test-bundles.ts';
import { root } from '../../support/source-files.ts';

const training = path.join(root, 'training/lead-conversion');
const chunkRows = 2_000;

it('says of every row of the data what the trainer says, and finds it where the trainer counted it', async () => {
  const { manifest, network } = await readLeadConversion();
  const trainers = gunzipSync(await readFile(path.join(training, 'probabilities.txt.gz')))
    .toString()
    .trim()
    .split('\n')
    .map(Number);
  const rows: FeatureRow[] = [];
  const records = createReadStream(path.join(training, 'bank-marketing.csv.gz'))
    .pipe(createGunzip())
    .pipe(parse({ columns: true, delimiter: ';' }));
  for await (const record of records) rows.push(record as FeatureRow);

  const features: number[] = [];
  const probabilities: number[] = [];
  await using scorer = await openScorer('binary_classifier', manifest, network);
  for (let first = 0; first < rows.length; first += chunkRows) {
    const { scores, prepared } = await scorer.score(rows.slice(first, first + chunkRows));
    expect([...prepared.problems]).toEqual([]);
    for (const feature of prepared.features) features.push(feature);
    for (const score of scores) probabilities.push(score.kind === 'scored' ? score.probability : Number.NaN);
  }

  expect([rows.length, trainers.length, probabilities.length]).toEqual([28_894, 28_894, 28_894]);
  const differences = probabilities.map((probability, row) =>
    Math.abs(probability - (trainers[row] ?? Infinity)),
  );
  expect(differences.filter((difference) => !(difference <= 1e-5))).toEqual([]);

  // Observed at once, all rows weigh the same: each must be found in the bin in which the trainer counted it.
  const monitor = createDriftMonitor(manifest);
  monitor.observe(Float32Array.from(features), probabilities);
  const drift = monitor.drift();
  expect(drift?.features.size).toBe(manifest.feature_columns.length);
  expect([...(drift?.features ?? [])].filter(([, psi]) => !(psi < 1e-9))).toEqual([]);
  // Its histogram is of models that had not seen the rows.
  expect(drift?.score).toBeLessThan(0.05);
});
