import { randomUUID } from 'node:crypto';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { apiOptions } from '../../support/api-options.ts';
import { openTestFleet, type TestFleet } from '../../support/open-test-fleet.ts';

let fleet: TestFleet;
let server: HttpServer;
beforeEach(async () => {
  fleet = await openTestFleet([callTimePrediction]);
  server = await buildServer(apiOptions(fleet));
});
afterEach(async () => {
  await server.close();
  await fleet[Symbol.asyncDispose]();
});

async function receive(payload: object) {
  const response = await server.inject({ method: 'POST', url: '/v1/outcomes', payload });
  expect(response.statusCode).toBe(200);
  return response.json<{ accepted: number; duplicates: number; errors: unknown[] }>();
}

const rows = () => fleet.database.db.selectFrom('outcomes').selectAll().orderBy('event_id').execute();

const occurredAt = '2026-01-15T10:03:00+01:00';
const outcome = (changes: object) => ({ event_id: randomUUID(), occurred_at: occurredAt, ...changes });

test('each kind names whom its predictions are about', async () => {
  const jobId = randomUUID();
  const told = [
    outcome({
      event_id: '1',
      kind: 'call_answered',
      contact_id: 'c',
      job_id: jobId.toUpperCase(),
      happened: false,
    }),
    outcome({ event_id: '2', kind: 'page_visited', user_id: 'u', page_key: 'dashboard' }),
    outcome({ event_id: '3', kind: 'lead_converted', lead_id: 'l' }),
    outcome({ event_id: '4', kind: 'churned', entity_id: 'e', happened: false }),
  ];
  expect(await receive({ events: told })).toEqual({ accepted: 4, duplicates: 0, errors: [] });
  const row = { id: expect.any(Number), occurred_at: new Date(occurredAt), page_key: null, job_id: null };
  expect(await rows()).toEqual([
    { ...row, event_id: '1', kind: 'call_answered', subject: 'c', job_id: jobId, happened: 0 },
    { ...row, event_id: '2', kind: 'page_visited', subject: 'u', page_key: 'dashboard', happened: 1 },
    { ...row, event_id: '3', kind: 'lead_converted', subject: 'l', happened: 1 },
    { ...row, event_id: '4', kind: 'churned', subject: 'e', happened: 0 },
  ]);
});

test('one that is sent again is a duplicate, and the first one counts', async () => {
  const told = outcome({ kind: 'churned', entity_id: 'e' });
  expect(await receive([told])).toMatchObject({ accepted: 1 });
  expect(await receive([{ ...told, happened: false }, told])).toMatchObject({ accepted: 0, duplicates: 2 });
  expect((await rows()).map(({ happened }) => happened)).toEqual([1]);
});

test.each<[what: string, bad: object, code: string]>([
  ['of an unknown kind', { kind: 'married', user_id: 'u' }, 'INVALID_EVENT'],
  ['that names another than its kind is about', { kind: 'churned', lead_id: 'l' }, 'INVALID_EVENT'],
  ['of a page without the page', { kind: 'page_visited', user_id: 'u' }, 'INVALID_EVENT'],
  ['with a job id that is none', { kind: 'churned', entity_id: 'e', job_id: '7' }, 'INVALID_EVENT'],
  ['with a number for happened', { kind: 'churned', entity_id: 'e', happened: 1 }, 'INVALID_EVENT'],
  [
    'of the future',
    { kind: 'churned', entity_id: 'e', occurred_at: '2999-01-01T00:00:00Z' },
    'OCCURRED_IN_FUTURE',
  ],
])('one %s is named and fails no other', async (_what, bad, code) => {
  const good = outcome({ kind: 'lead_converted', lead_id: 'l' });
  const answer = await receive([outcome({ event_id: 'bad', ...bad }), good]);
  expect(answer).toMatchObject({ accepted: 1, errors: [{ index: 0, event_id: 'bad', code }] });
  expect(await rows()).toHaveLength(1);
});
