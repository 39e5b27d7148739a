import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import { databaseFromUrl } from '../../../shared/config/database-settings.ts';
import { migrateUp } from '../../../shared/database/migrate.ts';
import { JobError, ModelNotReadyError, StoreUnavailableError } from '../../../shared/errors/job-error.ts';
import { openLeadScoring, type LeadScoringRoom } from '../../support/open-lead-scoring.ts';
import { openPrivateServers } from '../../support/open-private-servers.ts';
import { byId, sampleLeads } from '../../support/sample-leads.ts';
import { until } from '../../support/until.ts';

let room: LeadScoringRoom;
beforeEach(async () => {
  room = await openLeadScoring();
});
afterEach(() => room[Symbol.asyncDispose]());

async function newLeads(): Promise<string[]> {
  const leads = await sampleLeads();
  await room.addLeads(byId(leads));
  return leads.map(({ leadId }) => leadId);
}

test('without a model nothing is done, and the telemetry says so until the job is done', async () => {
  const ids = await newLeads();
  const jobId = uuid();
  await expect(room.run(ids, { jobId })).rejects.toBeInstanceOf(ModelNotReadyError);
  expect(await room.storedRows(jobId)).toEqual([]);
  expect(await room.eventOf(jobId)).toMatchObject({
    model_id: 'lead-conversion',
    model_version: null,
    leads: ids.length,
    error_code: 'MODEL_NOT_READY',
  });
  await room.serve('1.0.0');
  await room.run(ids, { jobId, requestId: 'request-1' });
  await until(async () => (await room.eventOf(jobId)).error_code === null);
  expect(await room.eventOf(jobId)).toMatchObject({
    model_version: '1.0.0',
    model_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    cache_misses: ids.length,
    feature_coverage: 1,
  });
});

test('a run after the rows were written answers them, whatever has changed since', async () => {
  await room.serve('1.0.0');
  const ids = [...(await newLeads()), 'lead-of-nobody', ''];
  const jobId = uuid();
  const first = await room.run(ids, { jobId });
  const event = await room.eventOf(jobId);

  await room.addLeads(Object.fromEntries(ids.slice(0, 5).map((leadId) => [leadId, { age: 99 }])));
  await room.database.db
    .deleteFrom('leads')
    .where('lead_id', '=', ids[6] ?? '')
    .execute();
  await room.serve('2.0.0', { intercept: 0.5 });
  expect(await room.run(ids, { jobId, mayHaveRunBefore: true })).toEqual(first);
  const misses = await room.cacheRequests('miss');
  expect(misses).toBe(ids.length - 2);
  expect(await room.eventOf(jobId)).toEqual(event);

  const other = await room.run(ids);
  expect(other.model_version).toBe('2.0.0');
  expect(other.model_sha256).not.toBe(first.model_sha256);
  expect(other.calibration_metadata.parameters['intercept']).toBe(0.5);
});

test('a lead that the model refuses is told with the column, in every run', async () => {
  await room.serve('1.0.0', {
    change: (manifest) => ({
      ...manifest,
      feature_columns: manifest.feature_columns.map((column) =>
        column.name === 'age' ? { ...column, missing: { strategy: 'reject' as const } } : column,
      ),
    }),
  });
  const ids = await newLeads();
  const [ageless = ''] = ids;
  await room.addLeads({ [ageless]: { job: 'student' } });
  const jobId = uuid();
  const first = await room.run(ids, { jobId });
  expect(first.predictions.map(({ lead_id }) => lead_id)).toEqual(ids.slice(1));
  expect(first.errors).toEqual([
    { lead_id: ageless, code: 'FEATURE_REJECTED', message: expect.stringContaining('age') },
  ]);
  expect(await room.run(ids, { jobId, mayHaveRunBefore: true })).toEqual(first);
});

test('rows that are there answer also where no model is loaded', async () => {
  await room.serve('1.0.0');
  const ids = await newLeads();
  const jobId = uuid();
  const first = await room.run(ids, { jobId });
  await using other = await openLeadScoring({ beside: room });
  expect(await other.run(ids, { jobId, mayHaveRunBefore: true })).toEqual(first);
});

test('two runs of a job at once, with two models: both answer what one of them has written', async () => {
  await using other = await openLeadScoring({ beside: room });
  await room.serve('1.0.0');
  await other.serve('2.0.0', { intercept: 1 });
  const ids = await newLeads();
  for (let round = 0; round < 5; round += 1) {
    const jobId = uuid();
    const [one, two] = await Promise.all([
      room.run(ids, { jobId }),
      other.run(ids, { jobId, mayHaveRunBefore: true }),
    ]);
    expect(one).toEqual(two);
    const rows = await room.storedRows(jobId);
    expect(new Set(rows.map((row) => row.model_version))).toEqual(new Set([one.model_version]));
    expect(rows.map(({ lead_id, probability }) => ({ lead_id, probability }))).toEqual(
      one.predictions.map(({ lead_id, probability }) => ({ lead_id, probability })),
    );
  }
});

test('throws why it was aborted, and writes nothing', async () => {
  await room.serve('1.0.0');
  const ids = await newLeads();
  const jobId = uuid();
  const reason = new JobError('transient', 'The job took longer than 60 s', { code: 'DEADLINE_EXCEEDED' });
  await expect(room.run(ids, { jobId, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await room.storedRows(jobId)).toEqual([]);
  expect(await room.eventOf(jobId)).toMatchObject({ error_code: 'DEADLINE_EXCEEDED' });
});

test('MySQL away: the job is given back, and done when it is there again', async () => {
  await using servers = await openPrivateServers();
  const mysql = await servers.startMysql();
  const databaseSettings = { ...databaseFromUrl(mysql.url), poolSize: 5, tls: false };
  await using apart = await openLeadScoring({ databaseSettings });
  await migrateUp(apart.database.db);
  await apart.serve('1.0.0');
  const leads = await sampleLeads();
  await apart.addLeads(byId(leads));
  const ids = leads.map(({ leadId }) => leadId);
  const jobId = uuid();
  await mysql.stop();
  await expect(apart.run(ids, { jobId })).rejects.toBeInstanceOf(StoreUnavailableError);
  await mysql.start();
  expect((await apart.run(ids, { jobId, mayHaveRunBefore: true })).predictions).toHaveLength(ids.length);
});

test('without telemetry nothing is told', async () => {
  await using quiet = await openLeadScoring({ beside: room, telemetry: false });
  await quiet.serve('1.0.0');
  const ids = await newLeads();
  const jobId = uuid();
  await quiet.run(ids, { jobId });
  // What was told before something else is there before it.
  await room.serve('1.0.0');
  const later = uuid();
  await room.run(ids, { jobId: later });
  await room.eventOf(later);
  const events = await room.database.db.selectFrom('ai_events').select('job_id').execute();
  expect(events).toEqual([{ job_id: later }]);
});

test('neither logs nor telemetry hold what is known of a lead', async () => {
  await room.serve('1.0.0');
  const ids = await newLeads();
  const secret = 'Ms. Secretive';
  await room.addLeads({ [ids[0] ?? '']: { age: 40, job: secret, name: secret } });
  const jobId = uuid();
  await room.run(ids, { jobId });
  const event = await room.eventOf(jobId);
  expect(JSON.stringify([event, room.logLines])).not.toContain(secret);
  const { rows } = await sql<{ column: string }>`
    select column_name as \`column\` from information_schema.columns
    where table_schema = database() and table_name = 'ai_events'`.execute(room.database.db);
  expect(Object.keys(event).sort()).toEqual(rows.map(({ column }) => column).sort());
});
