import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { manifestFileName } from '../../../shared/models/manifest-fields.ts';
import { openScorer } from '../../../shared/models/open-scorer.ts';
import { parseManifest } from '../../../shared/models/parse-manifest.ts';
import type { FeatureRow } from '../../../shared/models/prepare-features.ts';
import type { RowScore } from '../../../shared/models/row-score.ts';
import type { FeatureColumn } from '../../../shared/models/feature-column.ts';
import { createMetrics } from '../../../shared/telemetry/create-metrics.ts';
import { openBatches } from '../../../workers/model-serving/open-batches.ts';
import { createRowCheck } from '../../../workers/model-serving/check-rows.ts';
import { leadConversionFolder } from '../../support/open-test-bundles.ts';
import { smallCausalFolder } from '../../support/small-causal.ts';
import { root } from '../../support/source-files.ts';

const never = new AbortController().signal;

function valueOf(column: FeatureColumn): fc.Arbitrary<unknown> {
  if (column.type === 'categorical') return fc.constantFrom(...column.vocabulary);
  const [min, max] = [Math.fround(column.min), Math.fround(column.max)];
  return fc.oneof(
    { weight: 9, arbitrary: fc.float({ min, max, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

// The attention of macro-effects is what rounds otherwise in batches of other sizes, unless that is prevented.
test.each([
  ['macro-effects', path.join(root, 'models/macro-effects/1.0.0')],
  ['lead-conversion', leadConversionFolder],
  ['small-causal', smallCausalFolder],
])(
  '%s answers requests that are run together as each alone, to the last bit',
  async (_id, folder) => {
    const manifest = parseManifest(await readFile(path.join(folder, manifestFileName)));
    const network = await readFile(path.join(folder, manifest.runtime.file));
    await using scorer = await openScorer(manifest.model_type, manifest, network);
    const check = createRowCheck(manifest.feature_columns);
    const sizes: number[] = [];
    const scorePrepared = async (
      prepared: Parameters<typeof scorer.scorePrepared>[0],
    ): Promise<RowScore[]> => {
      sizes.push(prepared.rows.length);
      return (await scorer.scorePrepared(prepared)).scores;
    };
    const lease = { sha256: 'a', scorePrepared };
    using metrics = createMetrics();
    const batches = openBatches({
      modelId: manifest.model_id,
      limits: { batchRows: 300, batchWaitMs: 0, queueRows: 10_000 },
      metrics,
    });
    const row = fc
      .tuple(...manifest.feature_columns.map(valueOf))
      .map((values): FeatureRow =>
        Object.fromEntries(manifest.feature_columns.map(({ name }, place) => [name, values[place]])),
      );
    const requests = fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), {
      minLength: 2,
      maxLength: 24,
    });

    // More than a batch has by default, whatever is drawn beside it.
    const many = fc.sample(fc.array(row, { minLength: 10, maxLength: 10 }), 10);

    await fc.assert(
      fc.asyncProperty(requests, async (given) => {
        const prepared = given.map((rows) => check(rows, 'impute').prepared);
        const together = await Promise.all(prepared.map((each) => batches.score(lease, each, never)));
        for (const [place, rows] of given.entries()) {
          for (const [rowPlace, each] of rows.entries()) {
            const [alone] = await scorePrepared(check([each], 'impute').prepared);
            expect(alone?.kind).toBe('scored');
            expect(together[place]?.[rowPlace]).toStrictEqual(alone);
          }
        }
      }),
      { numRuns: 8, examples: [[many]] },
    );
    expect(Math.max(...sizes)).toBeGreaterThan(64);
  },
  60_000,
);
