import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { confidenceTenth } from '../../workers/pattern-detection/confidence-tenth.ts';
import { unknownGroups, unknownMetrics, withMetrics } from '../support/fleet-metrics.ts';
import { root } from '../support/source-files.ts';

// What the rules say is tested by `npm run test:rules`; here, that they are complete and speak of this fleet's metrics.

const directory = join(root, 'deploy/prometheus');
const texts = readdirSync(directory)
  .filter((name) => name.startsWith('presage-rules'))
  .map((name) => ({ name, text: readFileSync(join(directory, name), 'utf8') }));
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
    expect([...text.matchAll(/\bpresage_/g)].length).toBeGreaterThan(3);
    expect(unknownMetrics(text, registry)).toEqual([]);
  });
});

test('alerts are grouped by labels that their metrics have', () => {
  withMetrics((registry) => {
    const unknown = alerts.flatMap(({ alert, expr }) =>
      unknownGroups(expr, registry).map((label) => `${alert}: ${label}`),
    );
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
