import { openLedger } from '../../../shared/ledger/open-ledger.ts';
import { openCommandRoom, type CommandRoom } from '../../support/open-command-room.ts';

const contacts = [{ id: 'contact_123', phoneNumber: '+972501234567' }];
const callTime = 'call-time-prediction';

let room: CommandRoom;
beforeEach(async () => {
  room = await openCommandRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

describe('dead letters', () => {
  const failure = (kind: 'transient' | 'permanent') => ({
    kind,
    code: 'TEST',
    message: 'failed for the test',
  });

  async function fail(kinds: readonly ('transient' | 'permanent')[]): Promise<string[]> {
    await using ledger = openLedger(room.database.db, 'test');
    const payload = JSON.stringify({ contacts });
    return await Promise.all(
      kinds.map((kind) => ledger.recordStray({ queue: callTime, payload, failure: failure(kind) })),
    );
  }

  test('are listed, shown and discarded', async () => {
    const [transient = '', permanent = ''] = await fail(['transient', 'permanent']);
    const listed = await room.presage(['failed', 'list', '--json', '--kind', 'permanent']);
    expect(JSON.parse(listed.output)).toMatchObject({
      failed: [{ job_id: permanent, error: failure('permanent') }],
    });
    expect((await room.presage(['failed', 'list'])).output).toContain(transient);
    expect(
      JSON.parse((await room.presage(['failed', 'list', '--json', '--older-than', '10m'])).output),
    ).toEqual({
      failed: [],
    });
    expect(JSON.parse((await room.presage(['failed', 'show', transient])).output)).toMatchObject({
      payload: { contacts },
    });
    expect(JSON.parse((await room.presage(['failed', 'discard', transient])).output)).toEqual({
      discarded: 1,
    });
    expect((await room.presage(['failed', 'show', transient])).exitCode).toBe(1);
    expect(JSON.parse((await room.presage(['jobs', 'show', transient])).output)).toMatchObject({
      state: 'cancelled',
    });
  });

  test.each(['retry', 'discard'])(
    '%s names the ids that it left alone, and does the others',
    async (what) => {
      const [known = ''] = await fail(['transient']);
      const nobodys = '01999999-0000-7000-8000-000000000000';
      const run = await room.presage(['failed', what, known, nobodys, known]);
      expect(run.exitCode).toBe(1);
      expect(Object.values(JSON.parse(run.output) as Record<string, number>)).toEqual([1]);
      expect(run.messages).toBe(`Not failed, or not in the ledger, so left alone: ${nobodys}, ${known}.\n`);
    },
  );

  test('are never retried all at once by accident', async () => {
    await fail(['transient']);
    for (const what of ['retry', 'discard']) {
      const run = await room.presage(['failed', what]);
      expect(run.exitCode).toBe(2);
      expect(run.messages).toContain('--all');
    }
  });

  test('1,000 of them are redriven by kind and age at the set rate, each once', async () => {
    const kinds = Array.from({ length: 1_002 }, (_, index) => (index < 1_000 ? 'transient' : 'permanent'));
    const ids = await fail(kinds);
    const { db } = room.database;
    await db
      .updateTable('jobs')
      .set({ finished_at: new Date(Date.now() - 11 * 60_000) })
      .execute();
    const [young = ''] = await fail(['transient']);

    const retry = ['failed', 'retry', '--kind', 'transient', '--older-than', '10m', '--rate', '500'];
    const startedAt = Date.now();
    // Two operators at once: still each job once.
    const [one, two] = await Promise.all([room.presage(retry), room.presage(retry)]);
    const seconds = (Date.now() - startedAt) / 1_000;
    const retried = [one, two].map((run) => (JSON.parse(run.output) as { retried: number }).retried);
    expect(Number(retried[0]) + Number(retried[1])).toBe(1_000);
    expect(seconds).toBeGreaterThanOrEqual(1);
    const rows = await db.selectFrom('jobs').select(['id', 'generation', 'state']).execute();
    const generations = new Map(rows.map((row) => [row.id, row.generation]));
    expect(ids.slice(0, 1_000).every((id) => generations.get(id) === 2)).toBe(true);
    expect([...ids.slice(1_000), young].every((id) => generations.get(id) === 1)).toBe(true);
    const queued = await room.presage(['queues', 'list', '--json']);
    expect(JSON.parse(queued.output)).toMatchObject({
      queues: expect.arrayContaining([expect.objectContaining({ queue: callTime, paused: false })]),
    });
    await db.updateTable('jobs').set({ state: 'cancelled' }).execute();
  });
});
