import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { migrationNames } from '../../shared/database/migrate.ts';
import { allWorkers } from '../../workers/all-workers.ts';
import { readSourceFiles, root } from '../support/source-files.ts';

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.unknown()).optional(),
      ports: z.array(z.string()).optional(),
      stop_grace_period: z.string().optional(),
      healthcheck: z.object({ test: z.union([z.string(), z.array(z.string())]).optional() }).optional(),
    }),
  ),
});

const { services } = composeSchema.parse(
  parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }),
);
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

test('compose runs every producer, stops patiently and publishes on this machine only', () => {
  for (const producer of ['api', 'dashboard', 'cron', 'relay']) {
    expect(services[producer]?.command).toEqual([producer]);
    expect(services[producer]?.stop_grace_period).toBe('30s');
    expect(services[producer]?.healthcheck?.test).toBeDefined();
  }
  const published = Object.values(services).flatMap((service) => service.ports ?? []);
  expect(published.length).toBeGreaterThan(0);
  expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
});

test('compose tells every process that has a cache where that is', () => {
  const mains = readSourceFiles().filter(
    ({ path, text }) =>
      /^(workers|producers)\/[^/]+\/main\.ts$/.test(path) && text.includes('cacheRedisSettings'),
  );
  const names = mains.map(({ path }) => path.split('/')[1] ?? '');
  expect(names).toContain('lead-scoring');
  for (const name of names)
    expect(Object.keys(services[name]?.environment ?? {})).toContain('CACHE_REDIS_URL');
});

test('.env.example names every variable that a settings group reads, and no other', async () => {
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
  const documented = [...environmentExample.matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1]);
  expect(documented.sort()).toEqual([...read].sort());
});
