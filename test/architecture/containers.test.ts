import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { allSettings } from '../../shared/config/all-settings.ts';
import { processSettings } from '../../shared/config/process-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { interpolatedIn, services, type ComposeService } from '../support/compose-file.ts';
import { readSourceFiles, root } from '../support/source-files.ts';

// What has to hold of Dockerfile, docker-compose.yml and what lies beside them in deploy/. That they work is the test of
// the containers' own.

const queues = allQueues.map(({ name }) => name);
const producers = ['api', 'dashboard', 'cron', 'relay'];
const processes = [...producers, ...queues];
const oneOffs = ['migrate', 'models', 'cli'];
const ours = [...processes, ...oneOffs];
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const sources = readSourceFiles();

function service(name: string): ComposeService {
  const found = services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** The default of `${NAME:-default}`. */
function defaultOf(text: string | undefined): string {
  return /^\$\{\w+:-(.*)\}$/.exec(text ?? '')?.[1] ?? text ?? '';
}

test.each(producers)('%s is a service that runs its command', (name) => {
  expect(service(name).command).toEqual([name]);
});

describe.each(ours)('%s', (name) => {
  test('may change nothing but its volume and /tmp, and become nobody else', () => {
    expect(service(name)).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp'],
      volumes: ['artifacts:/artifacts'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      init: true,
    });
    expect(service(name).mem_limit).toBeDefined();
  });

  test('is given time to stop by itself', () => {
    const { shutdownGraceMs } = readSettings({ process: processSettings }, {}).process;
    const [, seconds = ''] = /^(\d+)s$/.exec(defaultOf(service(name).stop_grace_period)) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThan(shutdownGraceMs);
    expect(service(name).environment).toHaveProperty('SHUTDOWN_GRACE_MS');
  });
});

test('processes have the health check of the image, commands that end have none', () => {
  expect(dockerfile).toMatch(/^HEALTHCHECK .*CMD \["presage", "health"\]$/m);
  for (const name of processes) expect(service(name).healthcheck).toBeUndefined();
  for (const name of oneOffs) expect(service(name).healthcheck?.disable).toBe(true);
  const others = Object.keys(services).filter((name) => !ours.includes(name));
  expect(others.filter((name) => service(name).healthcheck?.test.length === 0)).toEqual([]);
  expect(others).toEqual(
    expect.arrayContaining(['redis', 'mysql', 'dynamodb', 'minio', 'prometheus', 'grafana']),
  );
});

test('every worker has as many containers as a variable says, and nothing stands against it', () => {
  for (const name of queues) {
    const variable = `${name.toUpperCase().replaceAll('-', '_')}_REPLICAS`;
    expect(service(name).deploy?.replicas).toBe(`\${${variable}:-1}`);
  }
  expect(Object.values(services).filter((one) => one.container_name !== undefined)).toEqual([]);
});

test('ports are published on this machine only, each where a variable says', () => {
  const published = Object.values(services).flatMap(({ ports }) => ports);
  expect(published.length).toBeGreaterThan(3);
  expect(published.filter((port) => !/^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$/.test(port))).toEqual([]);
});

test('logs are rotated, and what runs on is started again', () => {
  for (const [name, { logging, restart }] of Object.entries(services)) {
    expect({ name, driver: logging?.driver, options: Object.keys(logging?.options ?? {}) }).toEqual({
      name,
      driver: 'json-file',
      options: ['max-size', 'max-file'],
    });
    const oneOff = name === 'models' ? 'on-failure:10' : 'no';
    expect({ name, restart }).toEqual({ name, restart: oneOffs.includes(name) ? oneOff : 'unless-stopped' });
  }
});

/** Variables by the file of shared/config that reads them. */
async function variablesByFile(): Promise<Map<string, string[]>> {
  const known = new Map<unknown, readonly string[]>(
    Object.values(allSettings).map((group) => [group, group.variables]),
  );
  const files = readdirSync(join(root, 'shared/config')).filter((name) => name.endsWith('-settings.ts'));
  const entries = files.map(async (file): Promise<[string, string[]]> => {
    const exported: unknown = await import(join(root, 'shared/config', file));
    return [
      `shared/config/${file}`,
      Object.values(exported ?? {}).flatMap((value) => known.get(value) ?? []),
    ];
  });
  return new Map(await Promise.all(entries));
}

/** The files in which a process reads its settings. */
function mainsOf(name: string): string[] {
  if (queues.includes(name)) return [`workers/${name}/main.ts`, 'workers/run-workers.ts'];
  return [`producers/${name}/main.ts`, 'producers/run-background-producer.ts'];
}

function importsOf(paths: readonly string[]): string[] {
  return sources.filter(({ path }) => paths.includes(path)).flatMap(({ imports }) => imports);
}

/** Where the stores are is said here by other variables, and where health routes are by the image. */
const otherwiseSaid = (
  'REDIS_HOST REDIS_PORT REDIS_USERNAME REDIS_PASSWORD REDIS_TLS REDIS_CLUSTER_NODES ' +
  'DATABASE_URL DB_PORT DB_TLS DYNAMODB HEALTH_PORT'
).split(' ');

test('every process is given every variable that it reads', async () => {
  const variables = await variablesByFile();
  for (const name of processes) {
    const read = importsOf(mainsOf(name)).flatMap((file) => variables.get(file) ?? []);
    expect(read).toContain('LOG_LEVEL');
    const given = [...Object.keys(service(name).environment), ...otherwiseSaid];
    expect({ name, missing: read.filter((variable) => !given.includes(variable)) }).toEqual({
      name,
      missing: [],
    });
  }
});

test('a command that is run by hand is given all of them, so that doctor sees what the processes see', () => {
  const all = Object.values(allSettings).flatMap(({ variables }) => variables);
  const given = [...Object.keys(service('cli').environment), ...otherwiseSaid];
  expect(all.filter((variable) => !given.includes(variable))).toEqual([]);
  const ofOthers = processes.flatMap((name) => Object.keys(service(name).environment));
  expect(ofOthers.filter((variable) => !given.includes(variable))).toEqual([]);
});

test('keys are handed to those who use them, and to nobody else', () => {
  const users: [variable: string, read: string, who: readonly string[]][] = [
    ['OPENAI_API_KEY', 'shared/config/vendor-settings.ts', processes],
    ['TOGETHER_AI_KEY', 'shared/config/pattern-settings.ts', processes],
    ['TOGETHER_API_KEY', 'shared/config/pattern-settings.ts', processes],
    ['WEBHOOK_SECRETS', 'shared/config/webhook-settings.ts', processes],
    ['TASK_TOKEN', 'shared/config/execution-settings.ts', processes],
  ];
  for (const [variable, file, who] of users) {
    const using = who.filter((name) => importsOf(mainsOf(name)).includes(file));
    const given = who.filter((name) => variable in service(name).environment);
    expect(using.length).toBeGreaterThan(0);
    expect({ variable, given }).toEqual({ variable, given: using });
  }
  for (const name of ['redis', 'dynamodb', 'prometheus', 'migrate', 'models']) {
    const secrets = users.map(([variable]) => variable);
    expect(Object.keys(service(name).environment).filter((variable) => secrets.includes(variable))).toEqual(
      [],
    );
  }
});

test('keys in files are named by variables of the services that use them', () => {
  const text = readFileSync(join(root, 'deploy/compose/secrets.yml'), 'utf8');
  const override = z
    .object({
      secrets: z.record(z.string(), z.object({ file: z.string() })),
      services: z.record(
        z.string(),
        z.object({ environment: z.record(z.string(), z.string()), secrets: z.array(z.string()) }),
      ),
    })
    .parse(parse(text, { merge: true }));
  expect(interpolatedIn(text)).toContain('SECRETS_DIRECTORY');
  for (const [name, { environment, secrets }] of Object.entries(override.services)) {
    const files = Object.entries(environment).filter(([variable]) => variable.endsWith('_FILE'));
    expect(files.map(([, file]) => file).sort()).toEqual(
      secrets.map((secret) => `/run/secrets/${secret}`).sort(),
    );
    for (const [variable] of files) {
      const plain = variable.replace(/_FILE$/, '');
      if (plain === 'AWS_SHARED_CREDENTIALS')
        expect(service(name).environment).toHaveProperty('AWS_SECRET_ACCESS_KEY');
      else {
        expect(service(name).environment).toHaveProperty(plain);
        expect(environment[plain]).toBe('');
      }
    }
    expect(secrets.filter((secret) => !(secret in override.secrets))).toEqual([]);
  }
});

test('Prometheus asks every process, on the port of its health routes, and reads every rule', () => {
  const { rule_files: rules, scrape_configs: jobs } = z
    .object({
      rule_files: z.array(z.string()),
      scrape_configs: z.array(
        z.object({
          dns_sd_configs: z.array(z.object({ type: z.string(), port: z.int(), names: z.array(z.string()) })),
        }),
      ),
    })
    .parse(parse(readFileSync(join(root, 'deploy/prometheus/prometheus.yml'), 'utf8')));
  const discovered = jobs.flatMap(({ dns_sd_configs: configs }) => configs);
  expect(discovered.flatMap(({ names }) => names).sort()).toEqual([...processes].sort());
  const [, port = ''] = /\bHEALTH_PORT=(\d+)\b/.exec(dockerfile) ?? [];
  expect(discovered.map((config) => String(config.port))).toEqual([port]);
  const files = readdirSync(join(root, 'deploy/prometheus'));
  expect(rules).toEqual(files.filter((name) => name.startsWith('presage-rules') && !name.includes('.test.')));
});

test('the image says what it is, holds nothing else, and runs as nobody in particular', () => {
  const about = z
    .object({ name: z.string(), version: z.string(), description: z.string(), license: z.string() })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const labels = Object.fromEntries(
    [...dockerfile.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(([, key, value]) => [
      key,
      value,
    ]),
  );
  expect(labels).toEqual({
    title: about.name,
    version: about.version,
    description: about.description,
    licenses: about.license,
  });
  const image = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  expect(image).toMatch(/^USER \d+$/m);
  const copied = [...image.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );
  expect(copied.filter((from) => !existsSync(join(root, from)))).toEqual([]);
  expect(copied.filter((from) => /^(test|bench|training|docs|deploy|\.)/.test(from))).toEqual([]);
  expect(copied).toEqual(expect.arrayContaining(['shared', 'producers', 'workers', 'migrations', 'models']));
});
