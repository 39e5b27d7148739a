import { z } from 'zod';
import { until } from '../support/until.ts';
import type { ComposeProject } from './open-compose-project.ts';

/** Jobs of call-time-prediction through the API, and what becomes of them in MySQL. */
export interface CallTimeLoad {
  /** Sends one job of so many contacts whom nobody has asked about before. */
  post(contacts: number): Promise<Response>;
  /** Accepts so many jobs at once; answers their ids. */
  submit(jobs: number, contactsPerJob: number): Promise<string[]>;
  /** How many of the jobs have ended. */
  ended(ids: readonly string[]): Promise<number>;
  /** Waits until all have ended, and answers how. */
  untilEnded(ids: readonly string[]): Promise<LoadOutcome>;
}

export interface LoadOutcome {
  /** States of jobs, with the number of jobs in each. */
  states: Record<string, number>;
  /** Predictions that were written, and of how many different contacts. */
  rows: number;
  contacts: number;
  /** How many of the predictions are the default pattern, because the endpoint did not answer in time. */
  defaults: number;
  /** The largest number of attempts that one job took. */
  attempts: number;
}

const acceptedSchema = z.object({ job_id: z.uuid() });
const patience = { withinMs: 900_000, everyMs: 1_000 };

export function openCallTimeLoad({ urls, query }: ComposeProject): CallTimeLoad {
  let numbers = 0;

  function post(contacts: number): Promise<Response> {
    const body = {
      contacts: Array.from({ length: contacts }, (_, place) => ({
        id: `contact-${place}`,
        phoneNumber: `+4915${String((numbers += 1)).padStart(11, '0')}`,
        timezone: 'Europe/Berlin',
      })),
    };
    const headers = { 'content-type': 'application/json' };
    return fetch(`${urls.api}/v1/call-times`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async function accept(contacts: number): Promise<string> {
    const response = await post(contacts);
    if (response.status !== 202) throw new Error(`refused with ${response.status}: ${await response.text()}`);
    return acceptedSchema.parse(await response.json()).job_id;
  }

  async function ended(ids: readonly string[]): Promise<number> {
    const open = `select count(*) from jobs where state = 'accepted' and id in (${listed(ids)})`;
    return ids.length - Number((await query(open))[0]?.[0]);
  }

  return {
    post,
    submit: (jobs, contactsPerJob) => Promise.all(Array.from({ length: jobs }, () => accept(contactsPerJob))),
    ended,
    async untilEnded(ids) {
      await until(async () => (await ended(ids)) === ids.length, patience);
      const ours = listed(ids);
      const states = await query(`select state, count(*) from jobs where id in (${ours}) group by state`);
      const [[attempts] = []] = await query(`select max(attempts) from jobs where id in (${ours})`);
      const [[rows, contacts, defaults] = []] = await query(
        `select count(*), count(distinct phone_number), coalesce(sum(source = 'default'), 0)
         from call_time_predictions where job_id in (${ours})`,
      );
      return {
        states: Object.fromEntries(states.map(([state = '', count]) => [state, Number(count)])),
        rows: Number(rows),
        contacts: Number(contacts),
        defaults: Number(defaults),
        attempts: Number(attempts),
      };
    },
  };
}

function listed(ids: readonly string[]): string {
  return ids.map((id) => `'${id}'`).join(', ');
}
