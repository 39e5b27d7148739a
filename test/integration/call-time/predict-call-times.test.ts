import { randomUUID } from 'node:crypto';
import { callTimePrediction, optimalCallTimeSchema } from '../../../shared/contracts/call-time-prediction.ts';
import {
  openCallTime,
  randomContacts,
  randomPhoneNumber,
  type CallTime,
} from '../../support/open-call-time.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { until } from '../../support/until.ts';

const key = (phoneNumber: string) => `ml:prediction:${phoneNumber}`;

describe('call-time-prediction', () => {
  let callTime: CallTime;

  beforeAll(async () => {
    callTime = await openCallTime();
  });

  afterAll(() => callTime[Symbol.asyncDispose]());

  it("answers document 000's example with its output", async () => {
    const jobId = randomUUID();
    // The document's own number may be in the cache from elsewhere.
    await callTime.redis.del(key('+972501234567'));
    const contact = {
      id: 'contact_123',
      phoneNumber: '+972501234567',
      timezone: 'Asia/Jerusalem',
      metadata: { name: 'John Doe', age: 35 },
    };
    const before = callTime.server.requests.length;
    const result = await callTime.run([contact], { jobId });
    expect(callTimePrediction.result.parse(result)).toEqual(result);
    const [prediction] = result.predictions;
    expect(result).toEqual({
      predictions: [
        {
          contactId: 'contact_123',
          optimalCallTime: prediction?.optimalCallTime,
          cached: false,
          source: 'sagemaker',
          next_call_window: prediction?.next_call_window,
        },
      ],
      errors: [],
    });
    expect(callTime.server.requests.slice(before).map(({ body }) => body)).toEqual([
      '{"phoneNumber":"+972501234567","timezone":"Asia/Jerusalem","metadata":{"name":"John Doe","age":35}}',
    ]);

    // The key and the value are what other programs may read.
    const text = await callTime.redis.get('ml:prediction:+972501234567');
    expect(JSON.parse(text ?? '')).toEqual(prediction?.optimalCallTime);
    const ttlSeconds = await callTime.redis.ttl('ml:prediction:+972501234567');
    expect(ttlSeconds).toBeGreaterThan(604_700);
    expect(ttlSeconds).toBeLessThanOrEqual(604_800);

    const again = await callTime.run([contact]);
    expect(again.predictions).toEqual([{ ...prediction, cached: true, source: 'cache' }]);
    expect(callTime.server.requests).toHaveLength(before + 1);

    expect(await callTime.storedRows(jobId)).toMatchObject([
      {
        job_id: jobId,
        position: 0,
        contact_id: 'contact_123',
        phone_number: '+972501234567',
        timezone: 'Asia/Jerusalem',
        preferred_days: JSON.stringify(prediction?.optimalCallTime.preferredDayOfWeek),
        source: 'sagemaker',
        window_start: new Date(prediction?.next_call_window.start ?? 0),
        window_end: new Date(prediction?.next_call_window.end ?? 0),
      },
    ]);
  });

  it('tells the endpoint the timezone as resolved, and metadata {} when there is none', async () => {
    const [israeli, global] = [
      `+97250${randomPhoneNumber().slice(-7)}`,
      `+800${randomPhoneNumber().slice(-8)}`,
    ];
    await callTime.run([
      { id: 'a', phoneNumber: israeli },
      { id: 'b', phoneNumber: global },
    ]);
    const bodies = callTime.server.requests.map(({ body }) => body);
    expect(bodies).toContain(`{"phoneNumber":"${israeli}","timezone":"Asia/Jerusalem","metadata":{}}`);
    expect(bodies).toContain(`{"phoneNumber":"${global}","timezone":"UTC","metadata":{}}`);
  });

  it('answers every contact once and in order, with one call for each distinct number', async () => {
    const [a, b] = [randomPhoneNumber(), randomPhoneNumber()];
    const jobId = randomUUID();
    const progress: [number, number][] = [];
    const result = await callTime.run(
      [
        { id: '1', phoneNumber: a },
        { id: '2', phoneNumber: 'none' },
        { id: '3', phoneNumber: b, timezone: 'Asia/Tokyo' },
        { id: '4', phoneNumber: a, timezone: 'America/New_York' },
        { id: '5', phoneNumber: a, timezone: 'New York' },
        { id: '1', phoneNumber: b },
      ],
      { jobId, progress: (...state) => progress.push(state) },
    );
    expect(result.predictions.map(({ contactId }) => contactId)).toEqual(['1', '3', '4', '1']);
    expect(result.errors.map(({ contactId, code }) => `${contactId} ${code}`)).toEqual([
      '2 INVALID_PHONE_NUMBER',
      '5 INVALID_TIMEZONE',
    ]);
    expect(result.predictions.map(({ source, cached }) => `${source} ${cached}`)).toEqual(
      Array(4).fill('sagemaker false'),
    );
    // The same pattern, each in the contact's own timezone.
    expect(result.predictions[0]?.optimalCallTime).toEqual(result.predictions[2]?.optimalCallTime);
    expect(result.predictions[0]?.next_call_window).not.toEqual(result.predictions[2]?.next_call_window);
    expect([callTime.server.callsByNumber().get(a), callTime.server.callsByNumber().get(b)]).toEqual([1, 1]);
    expect((await callTime.storedRows(jobId)).map(({ position }) => position)).toEqual([0, 2, 3, 5]);
    expect(progress.at(-1)).toEqual([6, 6]);
    expect(progress.map(([done]) => done)).toEqual(progress.map(([done]) => done).toSorted((x, y) => x - y));
  });

  it('makes no more calls at once than it may, and lets a small job through beside a large one', async () => {
    const server = callTime.server;
    // Long enough for a busy machine to have as many calls under way as it may.
    server.setLatency(300);
    const large = callTime.run(randomContacts(200));
    const before = server.requests.length;
    await server.arrived(before + 20);
    const small = callTime.run(randomContacts(1));
    const first = await Promise.race([small.then(() => 'small'), large.then(() => 'large')]);
    server.setLatency(0);
    expect(first).toBe('small');
    await Promise.all([small, large]);
    expect(server.mostAtOnce()).toBe(8);
  });

  it('shares one call between jobs that ask for the same number at the same time', async () => {
    const contacts = randomContacts(20);
    const results = await Promise.all(Array.from({ length: 5 }, () => callTime.run(contacts)));
    const calls = callTime.server.callsByNumber();
    expect(contacts.map(({ phoneNumber }) => calls.get(phoneNumber))).toEqual(Array(20).fill(1));
    for (const { predictions } of results) {
      expect(predictions.map(({ optimalCallTime }) => optimalCallTime)).toEqual(
        results[0]?.predictions.map(({ optimalCallTime }) => optimalCallTime),
      );
    }
  });

  it('writes nothing personal to the log', async () => {
    const [contact] = randomContacts(1);
    if (!contact) throw new Error('no contact');
    callTime.server.failNext({ kind: 'schema-breaking' });
    callTime.server.failNext({ kind: 'status', status: 400 });
    await callTime.run([{ ...contact, metadata: { name: 'Grace Hopper' } }]);
    await callTime.run([{ ...contact, metadata: { name: 'Grace Hopper' } }]);
    expect(callTime.logLines.length).toBeGreaterThan(0);
    expect(callTime.logLines.join('')).not.toMatch(/Hopper|\+\d{5}|contact_0/);
  });

  describe('the cache', () => {
    it.each([
      ['no JSON', '{"preferredDayOfWeek":[1'],
      ['no prediction', '{"preferredDayOfWeek":"1-5","confidence":2}'],
      ['JSON of another kind', '[]'],
    ])('takes %s for nothing, and replaces it', async (_, garbage) => {
      const [contact] = randomContacts(1);
      const phoneNumber = contact?.phoneNumber ?? '';
      await callTime.redis.set(key(phoneNumber), garbage);
      const errors = await callTime.counted('cacheRequests', 'error');
      const { predictions } = await callTime.run(contact ? [contact] : []);
      expect(predictions).toMatchObject([{ source: 'sagemaker', cached: false }]);
      expect(await callTime.counted('cacheRequests', 'error')).toBe(errors + 1);
      const kept: unknown = JSON.parse((await callTime.redis.get(key(phoneNumber))) ?? '');
      expect(optimalCallTimeSchema.parse(kept)).toEqual(predictions[0]?.optimalCallTime);
    });

    it('takes a value of another type for nothing', async () => {
      const contacts = randomContacts(3);
      await callTime.redis.lpush(key(contacts[1]?.phoneNumber ?? ''), 'not a string');
      const { predictions } = await callTime.run(contacts);
      expect(predictions.map(({ source }) => source)).toEqual(['sagemaker', 'sagemaker', 'sagemaker']);
    });

    it('counts hits and misses', async () => {
      const contacts = randomContacts(5);
      await callTime.run(contacts.slice(0, 2));
      const before = await Promise.all([
        callTime.counted('cacheRequests', 'hit'),
        callTime.counted('cacheRequests', 'miss'),
      ]);
      await callTime.run(contacts);
      expect(await callTime.counted('cacheRequests', 'hit')).toBe(before[0] + 2);
      expect(await callTime.counted('cacheRequests', 'miss')).toBe(before[1] + 3);
    });

    it('is not missed when Redis is away', async () => {
      await using redisAway = await openCallTime({
        beside: callTime,
        redis: { kind: 'url', url: 'redis://127.0.0.1:1' },
      });
      const contacts = randomContacts(5);
      const { predictions } = await redisAway.run(contacts);
      expect(predictions.map(({ source }) => source)).toEqual(Array(5).fill('sagemaker'));
      expect(await redisAway.counted('cacheRequests', 'error')).toBe(5);
      expect(await redisAway.counted('cacheRequests', 'write_error')).toBe(5);
    });

    it('does not hold up a large job when Redis hangs', async () => {
      await using servers = await openPrivateServers();
      const { url } = await servers.startRedis();
      await using redisHangs = await openCallTime({ beside: callTime, redis: { kind: 'url', url } });
      await until(() => redisHangs.redis.status === 'ready');
      await redisHangs.redis.client('PAUSE', 60_000, 'ALL');
      const beganMs = performance.now();
      const { predictions } = await redisHangs.run(randomContacts(100));
      expect(performance.now() - beganMs).toBeLessThan(15_000);
      expect(predictions.map(({ source }) => source)).toEqual(Array(100).fill('sagemaker'));
    });
  });

  describe('without an endpoint', () => {
    let withoutEndpoint: CallTime;

    beforeAll(async () => {
      withoutEndpoint = await openCallTime({ beside: callTime, withEndpoint: false });
    });

    afterAll(() => withoutEndpoint[Symbol.asyncDispose]());

    const defaultPattern = {
      preferredDayOfWeek: [1, 2, 3, 4, 5],
      preferredHourRange: { start: 10, end: 18 },
      confidence: 0.5,
    };

    it('answers the default pattern, keeps it for minutes, and gives way to a real answer', async () => {
      const contacts = randomContacts(1);
      const phoneNumber = contacts[0]?.phoneNumber ?? '';
      const first = await withoutEndpoint.run(contacts);
      expect(first.predictions).toMatchObject([
        { optimalCallTime: defaultPattern, source: 'default', cached: false },
      ]);
      const second = await withoutEndpoint.run(contacts);
      expect(second.predictions).toEqual([{ ...first.predictions[0], source: 'cache', cached: true }]);
      expect(await withoutEndpoint.redis.ttl(key(phoneNumber))).toBeLessThanOrEqual(300);

      const real = await callTime.run(contacts);
      expect(real.predictions).toMatchObject([{ source: 'sagemaker', cached: false }]);
      const cached = await withoutEndpoint.run(contacts);
      expect(cached.predictions).toEqual([{ ...real.predictions[0], source: 'cache', cached: true }]);
      expect(await withoutEndpoint.redis.ttl(key(phoneNumber))).toBeGreaterThan(604_000);
    });

    it('does ten thousand contacts in one job', async () => {
      const contacts = randomContacts(10_000);
      const jobId = randomUUID();
      const { predictions, errors } = await withoutEndpoint.run(contacts, { jobId });
      expect(predictions.map(({ contactId }) => contactId)).toEqual(contacts.map(({ id }) => id));
      expect(errors).toEqual([]);
      expect(await callTime.storedRows(jobId)).toHaveLength(10_000);
    });

    it('never replaces a real answer by a default', async () => {
      const contacts = randomContacts(1);
      const [, { predictions }] = [await callTime.run(contacts), await withoutEndpoint.run(contacts)];
      expect(predictions).toMatchObject([{ source: 'cache' }]);
    });
  });
});
