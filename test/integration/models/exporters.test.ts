import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openOnnxSession } from '../../../shared/models/open-onnx-session.ts';
import { root } from '../../support/source-files.ts';

/** What an exporter made of an estimator, and what the estimator itself answered. */
interface Recorded {
  columns: number;
  outputs: { name: string; width: number }[];
  rows: number[][];
  answers: Record<string, number[][]>;
  /** Base64. */
  network: string;
}

const folder = path.join(root, 'test/fixtures/exporters');
const names = readdirSync(folder);

test('every exporter is recorded', () => {
  expect(names).toEqual([
    'causal-forest-with-intercept.json',
    'causal-forest.json',
    'forest.json',
    'gaussian-process.json',
    'linear.json',
    'polynomial.json',
    'torch.json',
  ]);
});

test.each(names)('what was exported answers as the estimator does: %s', async (name) => {
  const recorded = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Recorded;
  const { columns, outputs, rows, answers } = recorded;
  const bytes = Buffer.from(recorded.network, 'base64');
  await using session = await openOnnxSession({ bytes, input: 'state', columns, outputs });
  const told = await session.run(Float32Array.from(rows.flat()));
  for (const [place, output] of outputs.entries()) {
    const expected = answers[output.name]?.flat() ?? [];
    expect(told[place]).toHaveLength(expected.length);
    // As float32, a large effect has fewer digits behind the point.
    const distances = expected.map(
      (value, at) => Math.abs(value - (told[place]?.[at] ?? Infinity)) / Math.max(1, Math.abs(value)),
    );
    expect(distances.filter((distance) => !(distance <= 1e-5))).toEqual([]);
  }
});
