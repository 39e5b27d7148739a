import type { Registry } from 'prom-client';
import { z } from 'zod';
import { measureGenerationQueue } from '../../producers/relay/measure-generation-queue.ts';
import { measureLeadQuality } from '../../producers/relay/measure-lead-quality.ts';
import { measureQueues } from '../../producers/relay/measure-queues.ts';
import { measureSweeps } from '../../producers/relay/measure-sweeps.ts';
import { openDatabase } from '../../shared/database/open-database.ts';
import { createLogger } from '../../shared/telemetry/create-logger.ts';
import { createMetrics } from '../../shared/telemetry/create-metrics.ts';

/** Labels that Prometheus adds: who was scraped, and by deploy/prometheus/prometheus.yml as what. */
const scrapeLabels: readonly string[] = ['instance', 'job', 'process'];
/** Metrics, each with its selector: the fleet's, of Node.js, and Prometheus's own. */
const metricNames =
  /\b(presage_[a-z0-9_]+|nodejs_[a-z0-9_]+|process_[a-z]+_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?/g;

/** Every metric of a worker, the API and the relay, none of which is measured here. */
export function withMetrics(look: (registry: Registry) => void): void {
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
export function labelsOf(name: string, registry: Registry): string[] | undefined {
  if (name === 'up') return [];
  const metric =
    registry.getSingleMetric(name) ?? registry.getSingleMetric(name.replace(/_(bucket|sum|count)$/, ''));
  if (!metric) return undefined;
  const { labelNames } = z.object({ labelNames: z.array(z.string()) }).parse(metric);
  return name.endsWith('_bucket') ? [...labelNames, 'le'] : labelNames;
}

/** What a text says of metrics and labels that the fleet does not export. */
export function unknownMetrics(text: string, registry: Registry): string[] {
  const unknown: string[] = [];
  for (const [, name = '', selector = ''] of text.matchAll(metricNames)) {
    const labels = labelsOf(name, registry);
    if (!labels) unknown.push(name);
    for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (labels && ![...labels, ...scrapeLabels].includes(label)) unknown.push(`${name}{${label}}`);
    }
  }
  return unknown;
}

/** The labels by which a query groups and that none of its metrics has. */
export function unknownGroups(expression: string, registry: Registry): string[] {
  const labels = [...expression.matchAll(metricNames)].flatMap(
    ([, name = '']) => labelsOf(name, registry) ?? [],
  );
  const grouped = [...expression.matchAll(/\bby \(([\w, ]+)\)/g)].flatMap(([, list = '']) =>
    list.split(', '),
  );
  return grouped.filter((label) => ![...labels, ...scrapeLabels].includes(label));
}
