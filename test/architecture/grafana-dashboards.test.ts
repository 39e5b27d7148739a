import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { unknownGroups, unknownMetrics, withMetrics } from '../support/fleet-metrics.ts';
import { root } from '../support/source-files.ts';

const directory = join(root, 'deploy/grafana');

const panelSchema = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string().min(3),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  datasource: z.object({ uid: z.string() }).optional(),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
});
const dashboardSchema = z.object({ uid: z.string(), title: z.string(), panels: z.array(panelSchema) });

const dashboards = readdirSync(join(directory, 'dashboards')).map((name) => {
  const text = readFileSync(join(directory, 'dashboards', name), 'utf8');
  return { name, ...dashboardSchema.parse(JSON.parse(text)) };
});
const queries = dashboards.flatMap(({ name, panels }) =>
  panels.flatMap(({ title, targets }) =>
    targets.map((target) => ({ ...target, panel: `${name}: ${title}` })),
  ),
);

test('there is one of the fleet, one of models, and one of patterns', () => {
  expect(dashboards.map(({ name }) => name).sort()).toEqual([
    'presage-fleet.json',
    'presage-models.json',
    'presage-patterns.json',
  ]);
  expect(dashboards.map(({ uid }) => `${uid}.json`)).toEqual(dashboards.map(({ name }) => name));
});

test.each(dashboards)('$name: every panel says what it shows, and none covers another', ({ panels }) => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { type, title, targets, description } of panels.filter((panel) => panel.type !== 'row')) {
    expect(`${type} ${title}: ${targets.length > 0}`).toBe(`${type} ${title}: true`);
    expect(description?.length).toBeGreaterThan(10);
  }
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

test('queries speak of metrics and labels that the fleet exports', () => {
  withMetrics((registry) => {
    const unknown = queries.flatMap(({ panel, expr }) =>
      [...unknownMetrics(expr, registry), ...unknownGroups(expr, registry)].map(
        (name) => `${panel}: ${name}`,
      ),
    );
    expect(unknown).toEqual([]);
  });
  expect(queries.filter(({ expr }) => !/\b(presage_|nodejs_|process_|up\b)/.test(expr))).toEqual([]);
});

test('lines are named by labels that their query leaves', () => {
  const wrong = queries.flatMap(({ panel, expr, legendFormat }) => {
    const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    const grouped = [...expr.matchAll(/\bby \(([\w, ]+)\)/g)].flatMap(([, list = '']) => list.split(', '));
    const left = grouped.length > 0 ? grouped : ['process', 'instance'];
    return named.filter((label) => !left.includes(label)).map((label) => `${panel}: ${label}`);
  });
  expect(wrong).toEqual([]);
});

test('panels ask the data source that is provisioned', () => {
  const provisioned = z
    .object({ datasources: z.array(z.object({ uid: z.string(), type: z.string() })) })
    .parse(parse(readFileSync(join(directory, 'provisioning/datasources/prometheus.yml'), 'utf8')));
  const asked = dashboards.flatMap(({ panels }) => panels.flatMap(({ datasource }) => datasource?.uid ?? []));
  expect([...new Set(asked)]).toEqual(provisioned.datasources.map(({ uid }) => uid));
});
