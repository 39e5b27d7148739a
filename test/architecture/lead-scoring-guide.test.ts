import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bulkErrorCodes,
  leadBulkResultSchema,
  leadScoresSchema,
} from '../../shared/contracts/lead-scoring.ts';
import { confidenceMethods } from '../../shared/models/binary-classifier-manifest.ts';
import { columnProblems } from '../../shared/models/prepare-column.ts';
import { readSourceFiles, root } from '../support/source-files.ts';

const guide = readFileSync(join(root, 'docs/lead-scoring.md'), 'utf8');

test.each([
  ['error of a lead', bulkErrorCodes],
  ['confidence method', confidenceMethods],
  ['problem of a value', columnProblems],
  ['field of the answer', Object.keys(leadScoresSchema.shape)],
  ['field of a summary', Object.keys(leadBulkResultSchema.shape)],
])('the guide to lead scoring names every %s', (_kind, names) => {
  const missing = names.filter((name) => !new RegExp(`\`${name}[\`.[]`).test(guide));
  expect(missing).toEqual([]);
});

test('every code, variable, metric and file that the guide names exists', () => {
  const sources = readSourceFiles().map(({ text }) => text);
  const named = [...guide.matchAll(/`([A-Z]+_[A-Z_]+|presage_[a-z_]+)/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !sources.some((text) => text.includes(name)))).toEqual([]);

  const links = [...guide.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, file = '']) => file);
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((file) => !existsSync(join(root, 'docs', file)))).toEqual([]);
});
