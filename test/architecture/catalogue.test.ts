import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { migrationNames } from '../../shared/database/migrate.ts';
import { allWorkers } from '../../workers/all-workers.ts';
import { composeText, interpolatedIn, services } from '../support/compose-file.ts';
import { root } from '../support/source-files.ts';

const environmentExample = readFileSync(join(root, '.env.example'), 'utf8');

describe.each(allQueues.map((contract) => [contract.name, contract] as const))('%s', (name, contract) => {
  test('has a contract of its name', () => {
    expect(existsSync(join(root, 'shared/contracts', `${name}.ts`))).toBe(true);
    expect(contract.attempts).toBeGreaterThan(0);
    expect(contract.deadlineMs).toBeGreaterThan(0);
  });

  test('has a worker folder with its handler', () => {
    expect(existsSync(join(root, 'workers', name, 'main.ts'))).toBe(true);
    expect(existsSync(join(root, 'workers', name, `handle-${name}.ts`))).toBe(true);
    expect(Object.keys(allWorkers)).toContain(name);
  });

  test('has a compose service that runs it', () => {
    expect(services[name]?.command).toEqual(['worker', name]);
  });

  test('has its part in .env.example', () => {
    expect(environmentExample).toContain(`Worker ${name} `);
  });
});

test('there is no worker without a queue', () => {
  const folders = readdirSync(join(root, 'workers'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(folders.map((folder) => folder.name).sort()).toEqual(allQueues.map(({ name }) => name).sort());
  expect(Object.keys(allWorkers).sort()).toEqual(allQueues.map(({ name }) => name).sort());
});

test('every migration is known, in order', () => {
  const files = readdirSync(join(root, 'migrations')).map((file) => file.replace(/\.ts$/, ''));
  expect(migrationNames).toEqual(files.sort());
});

test('.env.example names every variable that a settings group or docker-compose.yml reads, and no other', async () => {
  const read = new Set<string>();
  for (const file of readdirSync(join(root, 'shared/config')).filter((name) =>
    name.endsWith('-settings.ts'),
  )) {
    if (file === 'read-settings.ts') continue;
    const exported: unknown = await import(join(root, 'shared/config', file));
    for (const value of Object.values(exported ?? {}) as unknown[]) {
      const group = z.object({ variables: z.array(z.string()) }).safeParse(value);
      for (const variable of group.success ? group.data.variables : []) read.add(variable);
    }
  }
  const parts = z
    .record(z.string(), z.array(z.string()))
    .parse(JSON.parse(readFileSync(join(root, 'shared/config/embedded-parts.json'), 'utf8')));
  for (const variable of Object.values(parts).flat()) read.add(variable);
  for (const variable of interpolatedIn(composeText)) read.add(variable);
  for (const { environment } of Object.values(services)) {
    for (const [variable, value] of Object.entries(environment)) if (value === null) read.add(variable);
  }
  const documented = [...environmentExample.matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1]);
  expect(documented.sort()).toEqual([...read].sort());
});
