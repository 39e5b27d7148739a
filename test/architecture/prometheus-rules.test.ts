import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { parse } from 'yaml';
import { z } from 'zod';
import { measureGenerationQueue } from '../../producers/relay/measure-generation-queue.ts';
import { measureLeadQuality } from '../../producers/relay/measure-lead-quality.ts';
import { measureQueues } from '../../producers/relay/measure-queues.ts';
import { measureSweeps } from '../../producers/relay/measure-sweeps.ts';
import { openDatabase } from '../../shared/database/open-database.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics } from '../../shared/telemetry/create-metrics.ts';
import { confidenceTenth } from '../../workers/pattern-detection/confidence-tenth.ts';
import { root } from '../support/source-files.ts';

// What the rules say is tested by `npm run test:rules`; here, that they are complete and speak of this fleet's metrics.

const directory = join(root, 'deploy/prometheus');
const texts = readdirSync(directory).map((name) => ({
  name,
  text: readFileSync(join(directory, name), 'utf8'),
}));
const isTest = ({ name }: { name: string }) => name.endsWith('.test.yml');

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string(),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({
            summary: z.string().min(10),
            description: z.string().min(10),
            runbook: z.string().min(20),
          }),
        }),
      ),
    }),
  ),
});
const testsSchema = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) }))
        .default([]),
    }),
  ),
});

const alerts = texts
  .filter((file) => !isTest(file))
  .flatMap(({ text }) => rulesSchema.parse(parse(text)).groups.flatMap(({ rules }) => rules));
const cases = texts
  .filter(isTest)
  .flatMap(({ text }) =>
    testsSchema.parse(parse(text)).tests.flatMap(({ alert_rule_test: expected }) => expected),
  );

/** Every metric of a worker, the API and the relay, none of which is measured here. */
function withMetrics(look: (registry: Registry) => void): void {
  using metrics = createMetrics();
  const { registry } = metrics;
  const log = createLogger({ process: 'test', level: 'silent' });
  // Connects with the first query, and there is none.
  const settings = { host: 'none', port: 1, user: '', password: '', database: '', poolSize: 1, tls: false };
  const { db } = openDatabase(settings);
  const dispatcher = { depth: () => Promise.reject(new Error('nobody asks')) };
  measureQueues({ queues: [], dispatcher, db, registry, log });
  measureSweeps({ db, registry, log });
  measureGenerationQueue({ db, registry, log });
  measureLeadQuality({ db, registry, log });
  look(registry);
}

/** The labels of a metric; undefined when there is no such metric. A histogram is three of them. */
function labelsOf(name: string, registry: Registry): string[] | undefined {
  const metric =
    registry.getSingleMetric(name) ?? registry.getSingleMetric(name.replace(/_(bucket|sum|count)$/, ''));
  if (!metric) return undefined;
  const { labelNames } = z.object({ labelNames: z.array(z.string()) }).parse(metric);
  return name.endsWith('_bucket') ? [...labelNames, 'le'] : labelNames;
}

test('there are alerts for the tick, for what it queues, and for what documents 003 and 004 ask', () => {
  expect(alerts.map(({ alert }) => alert)).toEqual(
    expect.arrayContaining([
      'PresageSweepLate',
      'PresageSweepFailing',
      'PresageSweepSlow',
      'PresageGenerationQueueGrowing',
      'PresageLeadRequestsFailing',
      'PresageLeadScoringSlow',
      'PresageLeadCacheCold',
      'PresageModelNotLoading',
      'PresageFeatureCoverageLow',
      'PresageFeatureDrift',
      'PresageServingRequestsFailing',
      'PresageServingSlow',
      'PresageServingQueueFull',
    ]),
  );
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
});

test.each(alerts.map(({ alert }) => alert))('%s is tested to fire, and not to', (alert) => {
  const expected = cases.filter(({ alertname }) => alertname === alert).map((one) => one.exp_alerts.length);
  expect(expected).toContain(1);
  expect(expected).toContain(0);
});

test.each(texts)('$name speaks of metrics and labels that the fleet exports', ({ text }) => {
  withMetrics((registry) => {
    const unknown: string[] = [];
    const named = [...text.matchAll(/\b(presage_[a-z0-9_]+)(?:\{([^}]*)\})?/g)];
    for (const [, name = '', selector = ''] of named) {
      const labels = labelsOf(name, registry);
      if (!labels) unknown.push(name);
      for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
        // Prometheus adds who was scraped.
        if (labels && !labels.includes(label) && label !== 'instance') unknown.push(`${name}{${label}}`);
      }
    }
    expect(named.length).toBeGreaterThan(3);
    expect(unknown).toEqual([]);
  });
});

test('alerts are grouped by labels that their metrics have', () => {
  withMetrics((registry) => {
    const unknown = alerts.flatMap(({ alert, expr }) => {
      const labels = [...expr.matchAll(/\bpresage_\w+/g)].flatMap(([name]) => labelsOf(name, registry) ?? []);
      const grouped = [...expr.matchAll(/\bby \(([\w, ]+)\)/g)].flatMap(([, list = '']) => list.split(', '));
      return grouped.filter((label) => !labels.includes(label)).map((label) => `${alert}: ${label}`);
    });
    expect(unknown).toEqual([]);
  });
});

test('the alert on honesty looks at confidences of 0.7 and more', () => {
  const { expr = '' } = alerts.find(({ alert }) => alert === 'PresageConfidenceDishonest') ?? {};
  const patterns = [...expr.matchAll(/confidence=~"([^"]+)"/g)].map(
    ([, pattern]) => new RegExp(`^(?:${pattern})$`),
  );
  const counted = [0, 0.69, 0.7, 0.79, 0.8, 0.999, 1].map((confidence) =>
    patterns.map((pattern) => pattern.test(confidenceTenth(confidence))),
  );
  expect(counted).toEqual([false, false, true, true, true, true, true].map((is) => [is, is]));
});
