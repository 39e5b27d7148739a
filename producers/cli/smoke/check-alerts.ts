import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { insightListSchema } from '../../../shared/api-contract/insight-list.ts';
import {
  alertOf,
  alertSchema,
  churnInsight,
  exampleAlertEvent,
  type Insight,
} from '../../../shared/contracts/churn-insight.ts';
import type { Finding } from '../doctor/finding.ts';
import { forgotten } from '../forget/mention.ts';
import { findOut } from './find-out.ts';
import type { FleetApi } from './open-fleet-api.ts';
import type { SmokeContext, SmokeDocument } from './smoke-document.ts';
import { WrongAnswer } from './wrong-answer.ts';

const subject = '002';
const sampleFolder = join(import.meta.dirname, '../demo/sample-alerts');
/** The document has an example of one type. */
const samples = ['low-health.json', 'imbalance.json'];

/** The most that the route answers at once. */
const insightsLookedAt = 100;

/**
 * Document 002: an alert of each type is explained, and its insight read back. An alert that was sent before is the same
 * job: that run's insight comes back, and no worker is asked.
 */
export const checkAlerts: SmokeDocument = async (api, context) => {
  const alerts: unknown[] = [exampleAlertEvent];
  for (const sample of samples) alerts.push(JSON.parse(await readFile(join(sampleFolder, sample), 'utf8')));
  return await Promise.all(alerts.map((alert) => checkAlert(alert, api, context)));
};

function checkAlert(alert: unknown, api: FleetApi, { startedAt }: SmokeContext): Promise<Finding> {
  const { alert_type: type, entity_id: entityId } = alertSchema.parse(
    alertOf(churnInsight.payload.parse(alert)),
  );
  return findOut(subject, type, async ({ ok, warn }) => {
    const before = await insightsOf(entityId, api);
    const path = `/v1/alerts?wait_ms=${api.waitMs}`;
    const { body: insight } = await api.ask({ path, body: alert }, { schema: churnInsight.result });
    if (insight.entity_id === forgotten) {
      return warn(
        `${entityId} was forgotten since it was explained, and an alert is explained once: no worker was asked now`,
        `It is explained anew when the job ${insight.job_id} has been purged (LEDGER_RETENTION_DAYS).`,
      );
    }
    if (insight.prediction_type !== type || insight.entity_id !== entityId) {
      throw new WrongAnswer(
        `an insight about ${insight.prediction_type} of ${insight.entity_id} came back`,
        `presage jobs show ${insight.job_id} tells what was asked.`,
      );
    }
    const isTold = (other: Insight) => isDeepStrictEqual(other, insight);
    const isStored = (await insightsOf(entityId, api)).some(isTold);
    // Insights expire sooner than jobs where jobs are kept for long.
    const hasExpired = !isStored && new Date(insight.timestamp) < startedAt;
    const told = `${entityId} risk ${insight.risk_score} by ${insight.model_used}`;
    if (!isStored && !hasExpired) {
      throw new WrongAnswer(
        `${told}, but GET /v1/insights/${entityId} does not have it`,
        'Do the API and the worker have the same DYNAMODB_TABLE_NAME and endpoint?',
      );
    }
    const isKnown = hasExpired || before.some(isTold);
    const known = `, made at ${insight.timestamp}: an alert is explained once, so no worker was asked now`;
    const finding = told + (isKnown ? known : '') + (hasExpired ? '; stored no more' : '');
    if (!insight.degraded) return ok(finding);
    return warn(
      `${finding}; degraded, because no model could answer`,
      'Ask presage doctor which model can be asked.',
    );
  });
}

/** The latest insights about an entity. */
async function insightsOf(entityId: string, api: FleetApi): Promise<Insight[]> {
  const path = `/v1/insights/${encodeURIComponent(entityId)}?limit=${insightsLookedAt}`;
  return (await api.ask({ path }, { schema: insightListSchema })).body.insights;
}
