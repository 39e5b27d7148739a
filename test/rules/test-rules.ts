import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findPromtool } from './find-promtool.ts';

// Checks Prometheus's configuration and rules, and runs the tests of the rules, with its own tool.
const directory = join(import.meta.dirname, '../../deploy/prometheus');
const files = readdirSync(directory);
const tests = files.filter((file) => file.endsWith('.test.yml'));
const rules = files.filter((file) => file.startsWith('presage-rules') && !tests.includes(file));

try {
  const promtool = findPromtool();
  for (const args of [
    ['check', 'config', 'prometheus.yml'],
    ['check', 'rules', ...rules],
    ['test', 'rules', ...tests],
  ]) {
    const { status, error } = spawnSync(promtool, args, { cwd: directory, stdio: 'inherit' });
    if (error) throw error;
    if (status !== 0) process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
