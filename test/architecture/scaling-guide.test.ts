import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readSourceFiles, root } from '../support/source-files.ts';

const guide = readFileSync(join(root, 'docs/scaling.md'), 'utf8');
const sources = readSourceFiles();

test('every setting of the fleet that the guide to scaling names is in .env.example', () => {
  const settings = readFileSync(join(root, '.env.example'), 'utf8');
  const named = [...guide.matchAll(/`([A-Z]+_[A-Z_]+)[`=]/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !settings.includes(name))).toEqual([]);
});

test('every metric, table and index that it names exists', () => {
  const named = [...guide.matchAll(/`(presage_[a-z_]+|jobs_[a-z_]+)/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !sources.some(({ text }) => text.includes(`'${name}'`)))).toEqual([]);
});

test('every file that it names exists', () => {
  const files = [...guide.matchAll(/`([a-z/-]+(?:\.test)?\.ts)`/g)].map(([, name = '']) => name);
  expect(files.length).toBeGreaterThan(3);
  const names = new Set(sources.map(({ path }) => basename(path)));
  expect(files.filter((file) => !names.has(file) && !existsSync(join(root, file)))).toEqual([]);
});

test('every benchmark that it names can be run', () => {
  const benchmarks = readFileSync(join(root, 'bench/run-benchmarks.ts'), 'utf8');
  const named = [...guide.matchAll(/npm run bench -- ([a-z -]*[a-z])/g)].flatMap(([, names = '']) =>
    names.split(' '),
  );
  expect(named.length).toBeGreaterThan(1);
  expect(named.filter((name) => !new RegExp(`^ {2}'?${name}'?: async`, 'm').test(benchmarks))).toEqual([]);
});
