/**
 * Serves the bundles that train.py wrote, by the code that the fleet serves with, and compares them with the truth:
 *
 *     node training/ihdp/check.ts --data DIR --bundles DIR     (Node 24)
 *
 * Prints, for each file, how far the served effects are from the true ones (√PEHE), next to the trainer's own figure, and
 * ends with an exit code other than 0 when the two differ by more than 0.0001 or a served effect is missing.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { openArtifactFolder } from '../../shared/models/artifact-folder.ts';
import { checkBundle } from '../../shared/models/check-bundle.ts';
import { goldenProblems } from '../../shared/models/golden-problems.ts';
import { isOfType } from '../../shared/models/model-type.ts';
import { openScorer } from '../../shared/models/open-scorer.ts';

const tolerance = 1e-4;
const rowsSchema = z.array(z.array(z.coerce.number()).length(30));

interface Served {
  file: string;
  sqrtPehe: number;
  trainers: number;
  coverage: number;
  milliseconds: number;
}

/** @param bundle the folder of one bundle */
async function serve(file: string, bundle: string): Promise<Served> {
  const rows = rowsSchema.parse(parse(await readFile(file)));
  using folder = openArtifactFolder(bundle);
  const check = await checkBundle(folder, '');
  if (!check.isSound) {
    const problems = check.problems.map((each) => `${each.file} ${each.problem}`);
    throw new Error(`${bundle} cannot be served: ${problems.join('; ')}`);
  }
  const { manifest, files } = check.bundle;
  const network = files.get(manifest.runtime.file);
  if (!isOfType(manifest, 'hybrid_causal_model') || !network) {
    throw new Error(`${bundle} holds no hybrid causal model`);
  }
  await using scorer = await openScorer('hybrid_causal_model', manifest, network);
  const [problem] = await goldenProblems('hybrid_causal_model', manifest, scorer);
  if (problem) throw new Error(`${bundle}: ${problem}`);

  const names = manifest.feature_columns.map(({ name }) => name);
  const features = rows.map((row) => Object.fromEntries(names.map((name, place) => [name, row[5 + place]])));
  const started = performance.now();
  const { scores } = await scorer.score(features);
  const milliseconds = performance.now() - started;

  const { level } = manifest.outputs.uncertainty;
  if (level !== 0.9) throw new Error(`${bundle} states coverage at ${level}, not at 0.9`);
  const quantile = 1.644_853_626_951_472_6;
  let squares = 0;
  let covered = 0;
  for (const [place, score] of scores.entries()) {
    const [, , , control, treated] = rows[place] ?? [];
    const effect = score.kind === 'scored' ? score.causalEffects[0] : undefined;
    if (score.kind !== 'scored' || effect === undefined || control === undefined || treated === undefined) {
      throw new Error(`${file}: line ${place + 1} has no served effect`);
    }
    const error = effect - (treated - control);
    squares += error ** 2;
    if (Math.abs(error) < quantile * score.uncertainty) covered += 1;
  }
  const trainers = manifest.metrics['sqrt_pehe'];
  if (trainers === undefined) throw new Error(`${bundle} states no sqrt_pehe`);
  return {
    file: path.basename(file),
    sqrtPehe: Math.sqrt(squares / rows.length),
    trainers,
    coverage: covered / rows.length,
    milliseconds,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: 'string' }, bundles: { type: 'string' } } });
  const { data, bundles } = values;
  if (data === undefined || bundles === undefined) {
    throw new Error('say where the data and the bundles are: --data DIR --bundles DIR');
  }
  const files = (await readdir(data)).filter((name) => /^ihdp_npci_\d+\.csv$/.test(name));
  if (files.length === 0) throw new Error(`${data} holds no ihdp_npci_*.csv`);
  const collator = new Intl.Collator('en', { numeric: true });
  let sum = 0;
  for (const name of files.toSorted(collator.compare)) {
    const modelId = path.basename(name, '.csv').replaceAll('_', '-');
    const served = await serve(path.join(data, name), path.join(bundles, modelId, '1.0.0'));
    sum += served.sqrtPehe;
    const isEqual = Math.abs(served.sqrtPehe - served.trainers) <= tolerance;
    if (!isEqual) process.exitCode = 1;
    process.stdout.write(
      `${served.file}: √PEHE ${served.sqrtPehe.toFixed(6)}, the trainer's ${served.trainers.toFixed(6)} ` +
        `(${isEqual ? 'equal' : 'NOT EQUAL'}), coverage of the true effects ${served.coverage.toFixed(3)}, ` +
        `${served.milliseconds.toFixed(0)} ms\n`,
    );
  }
  process.stdout.write(`mean of ${files.length}: √PEHE ${(sum / files.length).toFixed(6)}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
