import { v7 as uuid } from 'uuid';
import { modelServing } from '../../../shared/contracts/model-serving.ts';
import { JobError } from '../../../shared/errors/job-error.ts';
import type { ModelLease } from '../../../shared/models/served-model.ts';
import type { JobContext } from '../../../shared/queue/job-context.ts';
import { handleModelServing } from '../../../workers/model-serving/handle-model-serving.ts';
import { openServing, type ServingRoom } from '../../support/open-serving.ts';
import { readSmallCausalBundle, shiftedSmallCausal } from '../../support/small-causal.ts';
import { createLogger } from '../../../shared/telemetry/create-logger.ts';

let serving: ServingRoom;
beforeEach(async () => {
  serving = await openServing({
    prepare: async (room) => room.promoteBundle(await readSmallCausalBundle()),
  });
});
afterEach(() => serving[Symbol.asyncDispose]());

const rows = Array.from({ length: 3_000 }, (_nothing, place) => ({
  rate: place / 600,
  spread: 1,
  sector: place % 7 === 0 ? 'shipping' : 'banks',
}));

function run(changes: Partial<JobContext> = {}) {
  const { artifacts } = serving.room.stores;
  const context: JobContext = {
    jobId: uuid(),
    attempt: 1,
    isLastAttempt: false,
    waitedMs: 0,
    mayHaveRunBefore: false,
    signal: new AbortController().signal,
    log: createLogger({ process: 'test', level: 'silent' }),
    progress: () => {},
    trace: (_name, work) => work({ set: () => undefined }),
    ...changes,
  };
  const payload = modelServing.payload.parse({ model_id: 'small-causal', rows });
  return handleModelServing(payload, context, {
    models: serving.models,
    rows: artifacts,
    results: artifacts,
  });
}
const stored = async (jobId: string) =>
  Buffer.from(
    (await serving.room.stores.artifacts.read(`predictions/${jobId}.ndjson`, { maxBytes: 1e8 })) ?? [],
  ).toString();

test('a job that runs again answers what it found out first, whatever is promoted meanwhile', async () => {
  const jobId = uuid();
  const first = await run({ jobId });
  expect(first).toMatchObject({ model_version: '1.0.0', rows: 3_000, scored: 2_571, rejected: 429 });
  const text = await stored(jobId);
  await serving.room.promoteBundle(await shiftedSmallCausal('2.0.0', 5));
  await serving.models.refresh('small-causal');
  expect(await run({ jobId, attempt: 2, mayHaveRunBefore: true })).toEqual(first);
  expect(await stored(jobId)).toBe(text);
  // Without a file, a repeated run is as good as a first one.
  expect(await run({ attempt: 2, mayHaveRunBefore: true })).toMatchObject({ model_version: '2.0.0' });
});

test('tells how far it is, and stops between pieces when it is told to', async () => {
  const progress: number[][] = [];
  await run({ progress: (done, total) => void progress.push([done, total]) });
  expect(progress).toEqual([
    [1_024, 3_000],
    [2_048, 3_000],
    [3_000, 3_000],
  ]);

  const jobId = uuid();
  const stop = new AbortController();
  const reason = new JobError('cancelled', 'The job was cancelled', { code: 'CANCELLED' });
  await expect(run({ jobId, signal: stop.signal, progress: () => stop.abort(reason) })).rejects.toBe(reason);
  expect(await stored(jobId)).toBe('');
});

test('results that are too large to be held fail the job for good, and leave no file', async () => {
  const hosted = serving.models.get('small-causal');
  if (!hosted) throw new Error('the model is registered');
  const { acquire } = hosted.served;
  const message = 'x'.repeat(150_000);
  hosted.served.acquire = () => {
    const lease = acquire();
    const scorePrepared: ModelLease['scorePrepared'] = ({ rows: prepared }) =>
      Promise.resolve(prepared.map(() => ({ kind: 'rejected', message })));
    return lease && { ...lease, scorePrepared };
  };
  const jobId = uuid();
  await expect(run({ jobId })).rejects.toMatchObject({ kind: 'permanent', code: 'ROWS_TOO_LARGE' });
  expect(await stored(jobId)).toBe('');
});
