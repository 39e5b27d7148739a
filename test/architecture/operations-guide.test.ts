import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allSettings } from '../../shared/config/all-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { errorKinds } from '../../shared/errors/job-error.ts';
import { runPresage } from '../support/run-presage.ts';
import { readSourceFiles, root } from '../support/source-files.ts';

const guide = readFileSync(join(root, 'docs/operations.md'), 'utf8');
const sources = readSourceFiles().map(({ text }) => text);

function namesLike(pattern: RegExp): string[] {
  return [...new Set([...guide.matchAll(pattern)].map(([, name = '']) => name))];
}

/** What is to be typed: lines of fenced blocks after a prompt, and code in the text. A pipe ends a command. */
const commands = [
  ...new Set(
    namesLike(/^\s*\$ (presage .+)$/gm)
      .concat(namesLike(/`(presage [^`]+)`/g))
      .map((line) => line.split(/\s[|>]/, 1)[0]?.replaceAll(/\s+/g, ' ') ?? ''),
  ),
];

const helps = new Map<string, Promise<string>>();
function helpOf(words: readonly string[]): Promise<string> {
  const key = words.join(' ');
  const known = helps.get(key);
  if (known) return known;
  const help = runPresage([...words, '--help'], {}).then(({ output }) => output);
  helps.set(key, help);
  return help;
}

/** What is wrong with a command line; undefined when the program takes its command, its options and a value for each. */
async function problemOf(command: string): Promise<string | undefined> {
  const [, ...words] = command.split(' ');
  const path: string[] = [];
  for (const word of words) {
    const help = await helpOf(path);
    if (!/^Commands:$/m.test(help)) break;
    if (!new RegExp(`^  ${word}( |$)`, 'm').test(help)) return `${path.join(' ')} has no command ${word}`;
    path.push(word);
  }
  const help = await helpOf(path);
  if (!help.startsWith(`Usage: presage ${path.join(' ')} `)) return 'is no command';
  const options = words.filter((word) => word.startsWith('-'));
  const unknown = options.find((option) => !new RegExp(`^  ${option}(?= )`, 'm').test(help));
  if (unknown !== undefined) return `${path.join(' ')} has no option ${unknown}`;
  const queue = path[0] === 'worker' ? words[1] : words[words.indexOf('--queue') + 1];
  const namesQueue = path[0] === 'worker' || words.includes('--queue');
  return namesQueue && !allQueues.some(({ name }) => name === queue)
    ? `there is no queue ${queue}`
    : undefined;
}

test('every command that the guide to operations names exists, with its options', async () => {
  expect(commands.length).toBeGreaterThan(40);
  const problems = await Promise.all(
    commands.map(async (command) => ({ command, problem: await problemOf(command) })),
  );
  expect(problems.filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(await problemOf('presage failed redrive')).toBe('failed has no command redrive');
  expect(await problemOf('presage failed retry --older 10m')).toBe('failed retry has no option --older');
});

test('every variable, error code, metric and file that it names exists', () => {
  const variables = new Set(Object.values(allSettings).flatMap((group) => [...group.variables]));
  const named = namesLike(/`([A-Z]+_[A-Z_]+)[`=]/g).map((name) => name.replace(/_FILE$/, ''));
  expect(named.length).toBeGreaterThan(30);
  // Some are read by the compose file only.
  const example = readFileSync(join(root, '.env.example'), 'utf8');
  const known = (name: string) =>
    variables.has(name) || example.includes(`\n${name}=`) || sources.some((text) => text.includes(name));
  expect(named.filter((name) => !known(name))).toEqual([]);

  const metrics = namesLike(/\b(presage_[a-z_]+)/g);
  expect(metrics.length).toBeGreaterThan(8);
  // As a whole: a part of a metric's name is no metric.
  expect(metrics.filter((name) => !sources.some((text) => text.includes(`'${name}'`)))).toEqual([]);

  const links = namesLike(/\]\((?!https?:)([^)#]+)/g);
  expect(links.length).toBeGreaterThan(3);
  const paths = namesLike(/`((?:test|deploy|docs|shared)\/[^`]+)`/g);
  const missing = [...links.map((link) => join('docs', link)), ...paths].filter(
    (path) => !existsSync(join(root, path)),
  );
  expect(missing).toEqual([]);
});

test('it has every alert, and no other', () => {
  const rules = readFileSync(join(root, 'deploy/prometheus/presage-rules.yml'), 'utf8');
  const alerts = [...rules.matchAll(/^\s*- alert: (\w+)$/gm)].map(([, name = '']) => name);
  expect(alerts.length).toBeGreaterThan(20);
  expect(namesLike(/`(Presage[A-Z]\w+)`/g).sort()).toEqual(alerts.sort());
});

test('it says which alerts are critical, as the rules do', () => {
  const rules = readFileSync(join(root, 'deploy/prometheus/presage-rules.yml'), 'utf8');
  const critical = [...rules.matchAll(/- alert: (\w+)(?:(?!- alert)[^])*?severity: critical/g)].map(
    ([, name = '']) => name,
  );
  expect(critical.length).toBeGreaterThan(5);
  expect(namesLike(/^\| `(Presage\w+)` +\| critical:/gm).sort()).toEqual(critical.sort());
});

test('every kind of failure, every worker and every section that is linked to is in it', () => {
  expect(errorKinds.filter((kind) => !new RegExp(`^\\| \`${kind}\` +\\|`, 'm').test(guide))).toEqual([]);
  expect(allQueues.filter(({ name }) => !guide.includes(`\`presage worker ${name}\``))).toEqual([]);
  const sections = namesLike(/^#{2,} (.+)$/gm).map((title) => title.toLowerCase().replaceAll(' ', '-'));
  const linked = namesLike(/\]\(#([^)]+)\)/g);
  expect(linked.length).toBeGreaterThan(15);
  expect(linked.filter((section) => !sections.includes(section))).toEqual([]);
});
