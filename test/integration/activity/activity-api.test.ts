import { sql } from 'kysely';
import { z } from 'zod';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import { buildServer } from '../../../producers/api/build-server.ts';
import { callTimePrediction } from '../../../shared/contracts/call-time-prediction.ts';
import { activityEvent } from '../../support/activity-events.ts';
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

function post(payload: unknown) {
  return server.inject({
    method: 'POST',
    url: '/v1/activity',
    headers: { 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
}

const receivedSchema = z.object({
  accepted: z.number(),
  duplicates: z.number(),
  errors: z.array(
    z.object({
      index: z.number(),
      event_id: z.string().optional(),
      code: z.string(),
      message: z.string(),
    }),
  ),
});

async function receive(payload: unknown) {
  const response = await post(payload);
  expect(response.statusCode).toBe(200);
  return receivedSchema.parse(response.json());
}

const rows = () => fleet.database.db.selectFrom('activity_log').selectAll().orderBy('id').execute();
const minutesAhead = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

describe('good events', () => {
  test('are written as they are told, in either form of the body', async () => {
    const occurredAt = '2026-01-15T09:12:30.123+01:00';
    const told = activityEvent({
      event_id: 'evt_1',
      user_id: 'Zoë',
      occurred_at: occurredAt,
      timezone: 'Europe/Berlin',
      metadata: { screen: 'overview', nested: [1, null] },
    });
    expect(await receive({ events: [told] })).toEqual({ accepted: 1, duplicates: 0, errors: [] });
    expect(
      await receive([activityEvent({ event_id: 'evt_2', occurred_at: '2026-01-15T08:20:00Z' })]),
    ).toEqual({ accepted: 1, duplicates: 0, errors: [] });
    expect(await rows()).toEqual([
      {
        id: expect.any(Number),
        event_id: 'evt_1',
        user_id: 'Zoë',
        activity_type: 'open_dashboard',
        occurred_at: new Date('2026-01-15T08:12:30.123Z'),
        timezone: 'Europe/Berlin',
        metadata: '{"screen":"overview","nested":[1,null]}',
      },
      expect.objectContaining({
        event_id: 'evt_2',
        occurred_at: new Date('2026-01-15T08:20:00Z'),
        timezone: null,
        metadata: null,
      }),
    ]);
  });

  test('sent again are duplicates and change nothing, also within one request', async () => {
    const [one, other] = [activityEvent({ event_id: 'one' }), activityEvent({ event_id: 'other' })];
    expect(await receive([one, one, { ...one, user_id: 'somebody else' }])).toEqual({
      accepted: 1,
      duplicates: 2,
      errors: [],
    });
    expect(await receive([other, { ...one, user_id: 'somebody else' }])).toEqual({
      accepted: 1,
      duplicates: 1,
      errors: [],
    });
    const written = await rows();
    expect(written.map((row) => [row.event_id, row.user_id]).sort()).toEqual([
      ['one', 'user_42'],
      ['other', 'user_42'],
    ]);
  });

  test('have ids that differ by case', async () => {
    const events = [activityEvent({ event_id: 'A' }), activityEvent({ event_id: 'a' })];
    expect(await receive(events)).toMatchObject({ accepted: 2 });
  });

  test('sent eight times at once are written once, and every answer adds up', async () => {
    const events = Array.from({ length: 5_000 }, (_, index) =>
      activityEvent({ user_id: `user_${index % 50}` }),
    );
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, turn) =>
        receive([...events.slice(turn * 600), ...events.slice(0, turn * 600)]),
      ),
    );
    for (const answer of answers) expect(answer.accepted + answer.duplicates).toBe(5_000);
    expect(answers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(5_000);
    expect(await rows()).toHaveLength(5_000);
  });

  test('sent at once in batches that overlap are each written once', async () => {
    const events = Array.from({ length: 3_000 }, () => activityEvent());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, turn) => receive(events.slice(turn * 100, turn * 100 + 1_100))),
    );
    expect(answers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(3_000);
    for (const answer of answers) expect(answer.accepted + answer.duplicates).toBe(1_100);
    expect(await rows()).toHaveLength(3_000);
  });

  test('with much metadata are written whole, in statements that the server takes', async () => {
    const metadata = { text: 'ü"'.repeat(4_000) };
    const events = Array.from({ length: 300 }, () => activityEvent({ metadata }));
    expect(await receive(events)).toEqual({ accepted: 300, duplicates: 0, errors: [] });
    const written = await rows();
    expect(written.every((row) => row.metadata === JSON.stringify(metadata))).toBe(true);
  });

  test('may come beside rows that other systems wrote with user, activity and time only', async () => {
    const { db } = fleet.database;
    for (let time = 0; time < 2; time += 1) {
      await sql`insert into activity_log (user_id, activity_type, occurred_at) values ('u', 'login', now(3))`.execute(
        db,
      );
    }
    expect(await receive([activityEvent()])).toMatchObject({ accepted: 1 });
    expect(await rows()).toHaveLength(3);
  });
});

describe('a bad event', () => {
  const tooLarge = { text: 'x'.repeat(20_000) };
  test.each<[what: string, change: Record<string, unknown>, code: string, place: string]>([
    ['without an id', { event_id: undefined }, 'INVALID_EVENT', 'event_id'],
    ['whose id has a space', { event_id: 'a b' }, 'INVALID_EVENT', 'event_id'],
    ['whose id is too long', { event_id: 'x'.repeat(129) }, 'INVALID_EVENT', 'event_id'],
    ['without a user', { user_id: undefined }, 'INVALID_EVENT', 'user_id'],
    ['whose user is empty', { user_id: '' }, 'INVALID_EVENT', 'user_id'],
    ['whose user ends with a space', { user_id: 'user_42 ' }, 'INVALID_EVENT', 'user_id'],
    ['whose user is too long', { user_id: 'u'.repeat(129) }, 'INVALID_EVENT', 'user_id'],
    ['whose user is a number', { user_id: 42 }, 'INVALID_EVENT', 'user_id'],
    ['whose activity has a line break', { activity_type: 'a\nb' }, 'INVALID_EVENT', 'activity_type'],
    ['whose activity is no Unicode', { activity_type: 'a\ud800' }, 'INVALID_EVENT', 'activity_type'],
    ['whose time has no offset', { occurred_at: '2026-01-15T09:12:30' }, 'INVALID_EVENT', 'occurred_at'],
    [
      'whose day is not on the calendar',
      { occurred_at: '2026-02-30T09:00:00Z' },
      'INVALID_EVENT',
      'occurred_at',
    ],
    ['whose time is a number', { occurred_at: 1_700_000_000 }, 'INVALID_EVENT', 'occurred_at'],
    ['of before 1970', { occurred_at: '1969-12-31T23:59:59Z' }, 'INVALID_EVENT', 'occurred_at'],
    ['of the future', { occurred_at: minutesAhead(60) }, 'OCCURRED_IN_FUTURE', 'occurred_at'],
    ['with an unknown timezone', { timezone: 'Mars/Olympus' }, 'INVALID_TIMEZONE', 'timezone'],
    ['with an offset as its timezone', { timezone: '+02:00' }, 'INVALID_TIMEZONE', 'timezone'],
    ['whose metadata is a list', { metadata: [1] }, 'INVALID_EVENT', 'metadata'],
    ['with too much metadata', { metadata: tooLarge }, 'METADATA_TOO_LARGE', 'metadata'],
  ])('%s is named and fails no other', async (_what, change, code, place) => {
    const bad = activityEvent(change);
    const answer = await receive({ events: [activityEvent(), bad, activityEvent()] });
    expect(answer).toMatchObject({ accepted: 2, duplicates: 0, errors: [{ index: 1, code }] });
    expect(answer.errors).toHaveLength(1);
    expect(answer.errors[0]?.message).toMatch(new RegExp(`^${place}: .+`));
    expect(answer.errors[0]?.event_id).toBe('event_id' in change ? undefined : bad['event_id']);
    expect(await rows()).toHaveLength(2);
  });

  test.each([null, 1, 'event', [], [[]]])('that is %j is named too', async (bad) => {
    expect(await receive([bad, activityEvent()])).toMatchObject({
      accepted: 1,
      errors: [{ index: 0, code: 'INVALID_EVENT' }],
    });
  });

  test('whose metadata is nested without end is refused like one with too much', async () => {
    const event = JSON.stringify(activityEvent()).slice(0, -1);
    const answer = await receive(`[${event},"metadata":{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}}]`);
    expect(answer).toMatchObject({ accepted: 0, errors: [{ code: 'METADATA_TOO_LARGE' }] });
  });

  test('is never quoted', async () => {
    const response = await post([activityEvent({ user_id: '+12125550123 ', occurred_at: '+12125550123' })]);
    expect(response.body).not.toContain('2125550123');
  });

  test('of a clock that is a little ahead is a good one', async () => {
    expect(await receive([activityEvent({ occurred_at: minutesAhead(4) })])).toMatchObject({ accepted: 1 });
  });
});

describe('a request', () => {
  test.each<[what: string, body: unknown, status: number]>([
    ['without events', [], 422],
    ['with an empty list', { events: [] }, 422],
    ['with something else', { event: activityEvent() }, 422],
    ['with a text', '"events"', 422],
    ['that is not JSON', '{"events":', 400],
    ['with 5,001 events', Array.from({ length: 5_001 }, () => activityEvent()), 413],
  ])('%s is refused whole', async (_what, body, status) => {
    const response = await post(body);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, code: expect.any(String), errors: expect.any(Array) });
    expect(await rows()).toEqual([]);
  });

  test('of bad events only is answered all the same', async () => {
    expect(await receive([{}])).toMatchObject({ accepted: 0, duplicates: 0, errors: [{ index: 0 }] });
  });
});

test('OpenAPI shows examples that are taken', async () => {
  const document = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse((await server.inject('/openapi.json')).json());
  const bodySchema = z.object({
    requestBody: z.object({
      content: z.object({
        'application/json': z.object({ examples: z.record(z.string(), z.object({ value: z.unknown() })) }),
      }),
    }),
  });
  for (const route of ['/v1/activity', '/v1/outcomes']) {
    const { requestBody } = bodySchema.parse(document.paths[route]?.['post']);
    const examples = Object.values(requestBody.content['application/json'].examples);
    expect(examples).toHaveLength(2);
    for (const [index, { value }] of examples.entries()) {
      const response = await server.inject({ method: 'POST', url: route, payload: value as object });
      const answer = receivedSchema.parse(response.json());
      expect(answer.errors).toEqual([]);
      // The second form has the same events.
      expect(index === 0 ? answer.duplicates : answer.accepted).toBe(0);
      expect(answer.accepted + answer.duplicates).toBeGreaterThan(1);
    }
  }
});
