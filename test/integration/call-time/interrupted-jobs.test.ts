import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { migrateUp } from '../../../shared/database/migrate.ts';
import { JobError, StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { openCallTime, randomContacts, type CallTime } from '../../support/open-call-time.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { until } from '../../support/until.ts';

const keys = (contacts: readonly { phoneNumber: string }[]) =>
  contacts.map(({ phoneNumber }) => `ml:prediction:${phoneNumber}`);

describe('call-time-prediction, interrupted', () => {
  let callTime: CallTime;

  beforeEach(async () => {
    callTime = await openCallTime();
  });

  afterEach(() => callTime[Symbol.asyncDispose]());

  it('throws why it was aborted, and writes no defaults', async () => {
    callTime.server.failNext({ kind: 'hang' }, 100);
    const controller = new AbortController();
    const jobId = randomUUID();
    const running = callTime.run(randomContacts(20), { jobId, signal: controller.signal });
    await callTime.server.arrived(8);
    const reason = new JobError('transient', 'The job took longer than 600 s', { code: 'DEADLINE_EXCEEDED' });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await callTime.server.abandoned(8);
    expect(await callTime.storedRows(jobId)).toEqual([]);
    expect(callTime.server.requests).toHaveLength(8);
  });

  it('ends a shared call only when the last job that waits for it has gone', async () => {
    const release = callTime.server.hold();
    const contacts = randomContacts(1);
    const [first, second] = [new AbortController(), new AbortController()];
    const gone = callTime.run(contacts, { signal: first.signal });
    await callTime.server.arrived(1);
    const staying = callTime.run(contacts, { signal: second.signal });
    await until(async () => (await callTime.counted('cacheRequests', 'miss')) === 2);
    first.abort();
    await expect(gone).rejects.toMatchObject({ kind: 'cancelled' });
    release();
    expect((await staying).predictions).toMatchObject([{ source: 'sagemaker' }]);
    expect(callTime.server.requests).toHaveLength(1);
  });

  it('repeats no answered call when it runs again, even with an empty Redis', async () => {
    const contacts = randomContacts(40);
    // Two positions with the same number, of which a dying process may have written one.
    contacts.push({ id: 'twin', phoneNumber: contacts[0]?.phoneNumber ?? '' });
    const jobId = randomUUID();
    const controller = new AbortController();
    callTime.server.setLatency(5);
    const running = callTime.run(contacts, {
      jobId,
      signal: controller.signal,
      progress(done) {
        if (done >= 12) controller.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ kind: 'cancelled' });
    const answered = await callTime.storedRows(jobId);
    expect(answered.length).toBeGreaterThanOrEqual(12);
    expect(answered.length).toBeLessThan(contacts.length);

    await callTime.redis.del(keys(contacts));
    await callTime.database.db
      .deleteFrom('call_time_predictions')
      .where('job_id', '=', jobId)
      .where('contact_id', '=', 'twin')
      .execute();
    const callsBefore = callTime.server.callsByNumber();
    const { predictions } = await callTime.run(contacts, { jobId, mayHaveRunBefore: true });

    expect(predictions.map(({ contactId, source }) => `${contactId} ${source}`)).toEqual(
      contacts.map(({ id }) => `${id} sagemaker`),
    );
    const callsAfter = callTime.server.callsByNumber();
    for (const { phone_number: phoneNumber } of answered) {
      expect(callsAfter.get(phoneNumber)).toBe(callsBefore.get(phoneNumber));
    }
    const stored = await callTime.storedRows(jobId);
    expect(stored.map(({ position }) => position)).toEqual([...contacts.keys()]);
    expect(
      stored.filter((row) =>
        answered.some((before) => before.position === row.position && before.contact_id !== 'twin'),
      ),
    ).toEqual(answered.filter((row) => row.contact_id !== 'twin'));
  });

  it('has an answer in MySQL before anything else is done with it', async () => {
    const contacts = randomContacts(1);
    const jobId = randomUUID();
    const { db } = callTime.database;
    // While the table is locked the answer cannot be recorded.
    await db.connection().execute(async (locking) => {
      await sql`lock tables call_time_predictions write`.execute(locking);
      const running = callTime.run(contacts, { jobId });
      await until(async () => {
        const waiting = await sql`select 1 from information_schema.processlist
          where db = database() and state = 'Waiting for table metadata lock'`.execute(db);
        return waiting.rows.length > 0;
      });
      expect(callTime.server.requests).toHaveLength(1);
      expect(await callTime.redis.exists(keys(contacts))).toBe(0);
      await sql`unlock tables`.execute(locking);
      await running;
    });
    expect(await callTime.redis.exists(keys(contacts))).toBe(1);
  });

  it('answers what is stored when two runs of a job overlap', async () => {
    await using other = await openCallTime({ beside: callTime });
    const contacts = randomContacts(60);
    const jobId = randomUUID();
    const before = callTime.server.requests.length;
    callTime.server.setLatency(5);
    // One of the two gets no answer for some numbers: then its defaults and the other's answers compete.
    callTime.server.failNext({ kind: 'status', status: 500 }, 3);
    const [one, two] = await Promise.all([
      callTime.run(contacts, { jobId }),
      other.run(contacts, { jobId, mayHaveRunBefore: true }),
    ]);
    expect(one).toEqual(two);
    expect(callTime.server.requests.length).toBeGreaterThan(before);
    const stored = await callTime.storedRows(jobId);
    expect(stored.map(({ position }) => position)).toEqual([...contacts.keys()]);
    expect(stored.map(({ source }) => source)).toEqual(one.predictions.map(({ source }) => source));
  });

  it('gives the job back when MySQL is away, and does not forget what was paid for', async () => {
    await using servers = await openPrivateServers();
    const mysql = await servers.startMysql();
    const databaseSettings = { ...databaseFromUrl(mysql.url), poolSize: 5, tls: false };
    await using onPrivate = await openCallTime({ databaseSettings });
    await migrateUp(onPrivate.database.db);
    const contacts = randomContacts(40);
    const jobId = randomUUID();

    await mysql.stop();
    await expect(onPrivate.run(contacts, { jobId })).rejects.toBeInstanceOf(StoreUnavailableError);
    const paid = [...onPrivate.server.callsByNumber().keys()];
    expect(paid.length).toBeGreaterThan(0);
    expect(paid.length).toBeLessThan(contacts.length);

    await mysql.start();
    const { predictions } = await onPrivate.run(contacts, { jobId, mayHaveRunBefore: true });
    expect(predictions).toHaveLength(contacts.length);
    expect([...onPrivate.server.callsByNumber().values()]).toEqual(Array(contacts.length).fill(1));
  });
});
