import { z } from 'zod';
import { readinessSchema } from '../../../shared/process/health-routes.ts';
import type { Finding } from '../doctor/finding.ts';
import { CommandFailed } from '../usage-error.ts';
import { checkActivity } from './check-activity.ts';
import { checkAlerts } from './check-alerts.ts';
import { checkCallTimes } from './check-call-times.ts';
import { checkLeads } from './check-leads.ts';
import { checkServing } from './check-serving.ts';
import { findOut } from './find-out.ts';
import { openFleetApi, type FleetApi, type FleetApiOptions } from './open-fleet-api.ts';
import type { SmokeDocument } from './smoke-document.ts';
import { NoAnswer, WrongAnswer } from './wrong-answer.ts';

/** In the order in which their findings are told. */
const documents: readonly SmokeDocument[] = [
  checkCallTimes,
  checkActivity,
  checkAlerts,
  checkServing,
  checkLeads,
];

export interface SmokeOptions extends Omit<FleetApiOptions, 'service'> {
  /** Where the models answer; `undefined`: they are not asked. */
  modelsUrl: URL | undefined;
}

const contractSchema = z.object({ openapi: z.string(), info: z.object({ title: z.literal('Presage') }) });

/**
 * Sends each document's example to a running fleet, all documents at once, and checks the answers.
 *
 * @throws CommandFailed when no Presage answers at the URL, or the key is not known there
 */
export async function runSmoke({ modelsUrl, ...options }: SmokeOptions): Promise<Finding[]> {
  const api = openFleetApi({ ...options, service: { name: 'the API of Presage', flag: '--url' } });
  const models =
    modelsUrl &&
    openFleetApi({
      ...options,
      url: modelsUrl,
      service: { name: 'the process model-serving', flag: '--models-url' },
    });
  const { findings, startedAt } = await checkApi(api);
  const found = await Promise.all(documents.map((check) => check(api, { startedAt, models })));
  return [...findings, ...found.flat()];
}

/** Whether a Presage answers at all, and takes the key. */
async function checkApi(api: FleetApi): Promise<{ findings: Finding[]; startedAt: Date }> {
  let startedAt = new Date();
  const ready = await findOut('api', 'ready', async ({ ok, warn }) => {
    const expected = { schema: readinessSchema, statuses: [200, 503] };
    const { body, headers } = await api.ask({ path: '/health/ready' }, expected).catch(failWithoutAnswer);
    startedAt = new Date(headers.get('date') ?? startedAt);
    const { status, checks } = body;
    const told = Object.entries(checks).map(([name, state]) => `${name} ${state}`);
    const mend = 'Ask presage doctor, on a machine with the configuration of the fleet.';
    if (status === 'failed') throw new WrongAnswer(`not ready: ${told.join(', ')}`, mend);
    return status === 'degraded' ? warn(told.join(', '), mend) : ok(told.join(', '));
  });
  const contract = await findOut('api', 'contract', async ({ ok }) => {
    const { body } = await api
      .ask({ path: '/openapi.json' }, { schema: contractSchema })
      .catch(failWithoutAnswer);
    return ok(`OpenAPI ${body.openapi}`);
  });
  return { findings: [ready, contract], startedAt };
}

function failWithoutAnswer(error: unknown): never {
  if (!(error instanceof NoAnswer)) throw error;
  throw new CommandFailed(`There is no fleet to be checked: ${error.message}. ${error.mend}`, {
    cause: error,
  });
}
