import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { queueBacklogSchema } from '../../shared/api-contract/queue-backlog.ts';
import { allSettings } from '../../shared/config/all-settings.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { openHealthServer } from '../../shared/process/open-health-server.ts';
import { kubernetesFleet } from '../support/kubernetes-fleet.ts';
import { kubernetesFolder } from '../support/read-kubernetes.ts';
import { root } from '../support/source-files.ts';

const {
  kustomization,
  files,
  manifests,
  settings,
  deployments,
  jobs,
  services,
  accounts,
  budgets,
  scalers,
  scaledByProcessor,
  scalingKeys,
  secrets: secretManifests,
} = kubernetesFleet();
const producers = ['api', 'dashboard', 'cron', 'relay'];
const queues = allQueues.map(({ name }) => name);
const processes = [...producers, ...queues];
/** Processes with an HTTP interface of their own, and where its port is set. */
const httpPorts = new Map([
  ['api', 'PORT'],
  ['dashboard', 'DASHBOARD_PORT'],
  ['model-serving', 'SERVING_PORT'],
]);

const environmentExample = readFileSync(join(root, '.env.example'), 'utf8');
const described = new Set([...environmentExample.matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1]));

test('every file is used, and every name is there once', () => {
  const { resources, patches, configMapGenerator } = kustomization;
  const used = [
    ...resources,
    ...patches.map(({ path }) => path),
    ...configMapGenerator.flatMap(({ envs }) => envs),
  ];
  expect(used.toSorted()).toEqual(files.toSorted());
  const names = manifests.map(({ manifest }) => `${manifest.kind} ${manifest.metadata.name}`);
  expect(names).toEqual([...new Set(names)]);
});

test('there is a Deployment for each process, and for nothing else', () => {
  expect([...deployments.keys()].toSorted()).toEqual(processes.toSorted());
  expect([...scalers.keys()].toSorted()).toEqual(queues.toSorted());
  expect([...services.keys()].toSorted()).toEqual([...httpPorts.keys()].toSorted());
});

describe.each(processes)('%s', (name) => {
  const own = { 'app.kubernetes.io/name': name };

  test('has all that is its own in a file of its name', () => {
    const kinds = ['Deployment', 'ServiceAccount', 'PodDisruptionBudget'];
    for (const kind of kinds) {
      const found = manifests.find(
        ({ manifest }) => manifest.kind === kind && manifest.metadata.name === name,
      );
      expect([kind, found?.file]).toEqual([kind, `${name}.yaml`]);
    }
    expect(budgets.named(name).spec.selector.matchLabels).toEqual(own);
  });

  test('runs its command, as itself', () => {
    const { selector, template } = deployments.named(name).spec;
    expect(selector.matchLabels).toEqual(own);
    expect(template.metadata.labels).toMatchObject(own);
    expect(template.spec.serviceAccountName).toBe(name);
    expect(template.spec.containers[0].args).toEqual(queues.includes(name) ? ['worker', name] : [name]);
  });

  test('waits for the schema, and stops before it is killed', () => {
    const { terminationGracePeriodSeconds, initContainers, containers } =
      deployments.named(name).spec.template.spec;
    expect(initContainers?.[0].args).toEqual(['migrate', 'status', '--wait']);
    const drainSeconds = containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
    expect(drainSeconds > 0).toBe(httpPorts.has(name));
    const graceMs = Number(settings['SHUTDOWN_GRACE_MS']);
    expect(terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(
      drainSeconds * 1_000 + graceMs + 5_000,
    );
  });

  test('is asked for its health where it answers, and listens where its Service leads', () => {
    const { containers } = deployments.named(name).spec.template.spec;
    const port = httpPorts.get(name);
    expect(containers[0].ports.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'health', containerPort: Number(settings['HEALTH_PORT']) },
      ...(port === undefined ? [] : [{ name: 'http', containerPort: Number(settings[port]) }]),
    ]);
    if (port !== undefined) expect(services.named(name).spec.selector).toEqual(own);
  });

  test('has as many replicas as one place says', () => {
    expect(scaledByProcessor.get(name)?.spec.scaleTargetRef.name ?? name).toBe(name);
    const isScaled = scalers.has(name) || scaledByProcessor.has(name);
    expect(deployments.named(name).spec.replicas === undefined).toBe(isScaled);
  });
});

describe.each(queues)('the scaler of %s', (name) => {
  test('asks the API what waits in its queue', () => {
    const [{ metadata, authenticationRef }] = scalers.named(name).spec.triggers;
    const port = services.named('api').spec.ports[0].port;
    expect(metadata.url).toBe(`http://api.${kustomization.namespace}.svc:${port}/internal/scale/${name}`);
    expect(Object.keys(queueBacklogSchema.shape)).toContain(metadata.valueLocation);
    expect(Number(metadata.targetValue)).toBeGreaterThan(0);
    expect([...scalingKeys.keys()]).toEqual([authenticationRef.name]);
  });

  test('scales its worker', () => {
    const { spec } = scalers.named(name);
    expect(spec.scaleTargetRef.name).toBe(name);
    expect(spec.maxReplicaCount).toBeGreaterThan(spec.minReplicaCount);
    expect(spec.fallback.replicas).toBeLessThanOrEqual(spec.maxReplicaCount);
  });
});

test('the probes and Prometheus ask for what every process answers', async () => {
  await using server = await openHealthServer({
    host: '127.0.0.1',
    port: 0,
    registry: new Registry(),
    checkReadiness: () => Promise.resolve({}),
  });
  const asked = new Set<string | undefined>();
  for (const { spec } of deployments.values()) {
    const [{ startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers;
    const { annotations } = spec.template.metadata;
    expect(annotations['prometheus.io/port']).toBe(settings['HEALTH_PORT']);
    // A store that is away is no reason to start a process anew.
    expect(livenessProbe.httpGet.path).toBe('/health/live');
    expect(readinessProbe.httpGet.path).toBe('/health/ready');
    asked.add(startupProbe.httpGet.path).add(annotations['prometheus.io/path']);
    asked.add(livenessProbe.httpGet.path).add(readinessProbe.httpGet.path);
  }
  for (const path of asked) {
    const response = await fetch(`${server.url}${path}`);
    await response.text();
    expect([path, response.status]).toEqual([path, 200]);
  }
});

test('the migration runs like the processes, and before them', () => {
  const { spec } = jobs.named('migrate').spec.template;
  expect(spec.containers[0].args).toEqual(['migrate', 'up']);
  expect(spec.serviceAccountName).toBe('migrate');
});

test('no process has the right to ask the cluster, and each has an identity of its own', () => {
  expect([...accounts.keys()].toSorted()).toEqual([...processes, 'migrate'].toSorted());
});

test('settings are known, usable and no secrets', () => {
  expect(Object.keys(settings).filter((name) => !described.has(name))).toEqual([]);
  expect(
    Object.keys(settings).filter((name) => /KEY|SECRET|PASSWORD|TOKEN|DATABASE_URL|REDIS_URL/.test(name)),
  ).toEqual([]);
  const secrets = {
    REDIS_URL: 'rediss://example',
    DATABASE_URL: 'mysql://example/presage',
    PRESAGE_API_KEYS: `shop:produce:${'0'.repeat(64)}`,
  };
  const read = readSettings(allSettings, { ...settings, ...secrets });
  expect(read.process.shutdownGraceMs).toBe(Number(settings['SHUTDOWN_GRACE_MS']));
});

test('secrets come by reference, under the names of the settings', () => {
  expect(secretManifests.size).toBe(0);
  const pods = [...deployments.values()].map(({ spec }) => spec.template.spec);
  const variables = pods.flatMap(({ containers, initContainers = [] }) =>
    [...containers, ...initContainers].flatMap(({ env }) => env),
  );
  expect(variables.length).toBeGreaterThan(3);
  for (const { name, valueFrom } of variables) {
    expect(described.has(name)).toBe(true);
    expect((valueFrom.secretKeyRef ?? valueFrom.configMapKeyRef)?.key).toBe(name);
    if (valueFrom.configMapKeyRef) expect(settings).toHaveProperty(name);
  }
  // The workers' number of jobs at once is what the API reckons with.
  expect(variables.map(({ name }) => name)).not.toContain('WORKER_CONCURRENCY');
});

test('the version is in one place, and is this one', () => {
  const { version } = z
    .looseObject({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  expect(kustomization.images).toEqual([{ name: 'presage', newTag: version }]);
  const text = kustomization.resources
    .map((file) => readFileSync(join(kubernetesFolder, file), 'utf8'))
    .join('');
  const images = [...text.matchAll(/image: (.+)/g)].map((match) => match[1]);
  expect(new Set(images)).toEqual(new Set(['presage']));
});

test('the number of pods that MySQL has to stand is told rightly', () => {
  const most = processes.map(
    (name) =>
      scalers.get(name)?.spec.maxReplicaCount ??
      deployments.named(name).spec.replicas ??
      scaledByProcessor.named(name).spec.maxReplicas,
  );
  const pods = most.reduce((sum, count) => sum + count, 0);
  expect(readFileSync(join(kubernetesFolder, 'settings.env'), 'utf8')).toContain(`(${pods} with the limits`);
});
