import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { exampleAlertEvent } from '../../shared/contracts/churn-insight.ts';

/** What callers do all the time, while the fleet below them is exchanged. */
export interface SteadyWork extends AsyncDisposable {
  /** Requests that were answered as they should be. */
  readonly answered: number;
  /** What went wrong, in words. */
  readonly failures: readonly string[];
  /** The jobs that were accepted, with how many rows each leaves in its table. */
  readonly callTimeJobs: readonly string[];
  readonly bulkJobs: readonly string[];
  /** One insight each is to come of them. */
  readonly alertedEntities: readonly string[];
}

export const contactsPerJob = 3;
export const leadsPerBulk = 4_500;

const waitMs = 20_000;
const requestTimeoutMs = 60_000;

/**
 * Sends requests of every kind until it is disposed, one of each kind at a time.
 *
 * @param chooseApi answers the address of an API that takes requests, as a load balancer does
 */
export function openSteadyWork(chooseApi: () => string): SteadyWork {
  const failures: string[] = [];
  const [callTimeJobs, bulkJobs, alertedEntities]: [string[], string[], string[]] = [[], [], []];
  let answered = 0;
  let count = 0;
  const stop = new AbortController();

  async function ask(path: string, good: readonly number[], body?: unknown): Promise<Response | undefined> {
    try {
      const response = await fetch(`${chooseApi()}${path}`, {
        ...(body === undefined
          ? {}
          : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      const text = await response.text();
      if (good.includes(response.status)) {
        answered += 1;
        return response;
      }
      failures.push(`${path}: ${response.status} ${text}`);
    } catch (error) {
      failures.push(`${path}: ${String(error)} ${error instanceof Error ? String(error.cause) : ''}`);
    }
    return undefined;
  }

  const jobOf = (response: Response) => response.headers.get('location')?.split('/').at(-1) ?? '';

  const kinds: readonly { everyMs: number; request: () => Promise<void> }[] = [
    {
      everyMs: 100,
      async request() {
        const contacts = Array.from({ length: contactsPerJob }, (_, index) => ({
          id: `contact-${index}`,
          phoneNumber: `+4915${String(randomInt(1e11)).padStart(11, '0')}`,
        }));
        const response = await ask(`/v1/call-times?wait_ms=${waitMs}`, [200, 202], { contacts });
        if (response) callTimeJobs.push(jobOf(response));
      },
    },
    {
      everyMs: 200,
      async request() {
        const entity = `upgrade-${(count += 1)}`;
        const alert = {
          ...exampleAlertEvent,
          id: `event-${entity}`,
          detail: { ...exampleAlertEvent.detail, entity_id: entity },
        };
        if (await ask(`/v1/alerts?wait_ms=${waitMs}`, [200, 202], alert)) alertedEntities.push(entity);
      },
    },
    {
      everyMs: 200,
      async request() {
        const event = {
          event_id: `event-${(count += 1)}`,
          user_id: `sample-00${1 + (count % 9)}`,
          activity_type: 'open_dashboard',
          occurred_at: new Date().toISOString(),
        };
        await ask('/v1/activity', [200], [event]);
      },
    },
    {
      everyMs: 300,
      async request() {
        await ask('/ai/advanced-ml/predict-batch', [200], ['lead-001', 'lead-100', 'lead-200', 'nobody']);
      },
    },
    {
      everyMs: 2_000,
      async request() {
        const ids = Array.from(
          { length: leadsPerBulk },
          (_, index) => `lead-${String(index).padStart(3, '0')}`,
        );
        const response = await ask('/v1/lead-scores', [202], { lead_ids: ids });
        if (response) bulkJobs.push(jobOf(response));
      },
    },
    {
      everyMs: 200,
      async request() {
        const jobs = [...callTimeJobs.slice(-1), ...bulkJobs.slice(-1)];
        for (const id of jobs) await ask(`/v1/jobs/${id}`, [200]);
      },
    },
  ];

  const working = kinds.map(async ({ everyMs, request }) => {
    while (!stop.signal.aborted) {
      await request();
      await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  });

  return {
    get answered() {
      return answered;
    },
    failures,
    callTimeJobs,
    bulkJobs,
    alertedEntities,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(working);
    },
  };
}
