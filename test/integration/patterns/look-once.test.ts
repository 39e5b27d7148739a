import { v7 as uuid } from 'uuid';
import { dashboard, found, openLookWorker, report } from '../../support/open-look-worker.ts';
import type { PatternWorker } from '../../support/open-pattern-worker.ts';

let worker: PatternWorker;
beforeEach(async () => {
  worker = await openLookWorker();
});
afterEach(() => worker[Symbol.asyncDispose]());

const pageKeys = async () => (await worker.predictions()).map(({ page_key }) => page_key);

describe('once, whatever happens', () => {
  test('a run after the first one asks nobody, queues nothing more, and answers the same', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    const jobId = uuid();
    const first = await worker.look('anna', { jobId });
    expect(first).toEqual(found(2, 2));
    const rows = await worker.predictions();
    // Later: the sequence's window would be another one.
    worker.clock.nowMs += 60_000;
    expect(await worker.look('anna', { jobId, mayHaveRunBefore: true })).toEqual(first);
    expect(await worker.predictions()).toEqual(rows);
    expect(await worker.contentJobs()).toHaveLength(2);
    expect(worker.llm.requests).toHaveLength(1);
  });

  test('a run that was cut off between a row and its job leaves neither; the next one asks nobody', async () => {
    await worker.plant('anna', dashboard);
    const jobId = uuid();
    const { enqueue } = worker.dependencies;
    worker.dependencies.enqueue = {
      ...enqueue,
      enqueueWithin: () => Promise.reject(new Error('the process ended here')),
    };
    await expect(worker.look('anna', { jobId })).rejects.toThrow('the process ended here');
    expect(await worker.predictions()).toEqual([]);
    worker.dependencies.enqueue = enqueue;
    expect(await worker.look('anna', { jobId, mayHaveRunBefore: true })).toEqual(found(1, 1));
    expect(await worker.contentJobs()).toHaveLength(1);
    expect(worker.llm.requests).toHaveLength(1);
  });

  test('a run that was cut off between two predictions queues the other one', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    const jobId = uuid();
    const { enqueue } = worker.dependencies;
    worker.dependencies.enqueue = {
      ...enqueue,
      dispatch: () => Promise.reject(new Error('the process ended here')),
    };
    await expect(worker.look('anna', { jobId })).rejects.toThrow('the process ended here');
    expect(await pageKeys()).toEqual(['report']);
    worker.dependencies.enqueue = enqueue;
    expect(await worker.look('anna', { jobId, mayHaveRunBefore: true })).toEqual(found(2, 2));
    expect(await pageKeys()).toEqual(['dashboard', 'report']);
  });

  test('two runs of one job at once', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    const jobId = uuid();
    const results = await Promise.all([
      worker.look('anna', { jobId }),
      worker.look('anna', { jobId, mayHaveRunBefore: true }),
    ]);
    expect(results.map(({ patterns_detected }) => patterns_detected)).toEqual([2, 2]);
    expect(await pageKeys()).toEqual(['dashboard', 'report']);
    expect(await worker.contentJobs()).toHaveLength(2);
    expect(worker.llm.requests).toHaveLength(1);
  });

  test('many looks by hand at one user at once', async () => {
    await worker.plant('anna', [...dashboard, ...report]);
    // So that the windows of the sequence all differ.
    worker.dependencies.now = () => (worker.clock.nowMs += 1);
    const results = await Promise.all(Array.from({ length: 8 }, () => worker.look('anna')));
    expect(
      results.map(({ predictions_queued }) => predictions_queued).reduce((one, other) => one + other),
    ).toBe(2);
    expect(await pageKeys()).toEqual(['dashboard', 'report']);
  });
});
