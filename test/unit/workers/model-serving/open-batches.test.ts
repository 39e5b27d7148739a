import { setImmediate as nextTurn } from 'node:timers/promises';
import { JobError } from '../../../../shared/errors/job-error.ts';
import type { PreparedFeatures } from '../../../../shared/models/prepare-features.ts';
import type { RowScore } from '../../../../shared/models/row-score.ts';
import { createMetrics, type Metrics } from '../../../../shared/telemetry/create-metrics.ts';
import {
  openBatches,
  type BatchLease,
  type Batches,
  type BatchLimits,
} from '../../../../workers/model-serving/open-batches.ts';

const limits: BatchLimits = { batchRows: 8, batchWaitMs: 0, queueRows: 16 };
const never = new AbortController().signal;

let metrics: Metrics;
beforeEach(() => {
  metrics = createMetrics();
});
afterEach(() => metrics[Symbol.dispose]());

function open(others: Partial<BatchLimits> = {}): Batches {
  return openBatches({ modelId: 'm', limits: { ...limits, ...others }, metrics });
}

interface Run extends PromiseWithResolvers<void> {
  values: number[];
}

/** A model that answers each row's only feature, when the test lets it. */
function openModel(sha256 = 'a', fails: (values: number[]) => boolean = () => false) {
  const runs: Run[] = [];
  const lease: BatchLease = {
    sha256,
    async scorePrepared({ features }) {
      const run: Run = { values: [...features], ...Promise.withResolvers() };
      runs.push(run);
      await run.promise;
      if (fails(run.values)) throw new JobError('transient', 'no', { code: 'MODEL_FAILED' });
      return run.values.map(scoreOf);
    },
  };
  return { runs, lease };
}

const scoreOf = (probability: number): RowScore => ({
  kind: 'scored',
  type: 'binary_classifier',
  probability,
  confidence: 1,
  logOdds: 0,
  coverage: 1,
});

function rows(...values: number[]): PreparedFeatures {
  return {
    features: Float32Array.from(values),
    rows: values.map(() => ({ kind: 'accepted', coverage: 1 })),
    problems: new Map([['x', { missing: values.length }]]),
  };
}

const valuesOf = (runs: readonly Run[]) => runs.map(({ values }) => values);

test('who comes alone is run at once, and who comes meanwhile is run together', async () => {
  const { runs, lease } = openModel();
  const batches = open();
  const answers = [rows(1), rows(2, 3), rows(4)].map((each) => batches.score(lease, each, never));
  expect(valuesOf(runs)).toEqual([[1]]);
  runs[0]?.resolve();
  expect(await answers[0]).toEqual([scoreOf(1)]);
  expect(valuesOf(runs)).toEqual([[1], [2, 3, 4]]);
  runs[1]?.resolve();
  expect(await Promise.all(answers)).toEqual([[scoreOf(1)], [scoreOf(2), scoreOf(3)], [scoreOf(4)]]);
});

test('a batch has no more rows than it may, unless one request has', async () => {
  const { runs, lease } = openModel();
  const batches = open();
  const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const answers = [rows(0), rows(1, 2, 3, 4, 5), rows(6, 7, 8), rows(9)].map((each) =>
    batches.score(lease, each, never),
  );
  runs[0]?.resolve();
  await answers[0];
  runs[1]?.resolve();
  await answers[1];
  runs[2]?.resolve();
  await Promise.all(answers);
  expect(valuesOf(runs)).toEqual([[0], [1, 2, 3, 4, 5, 6, 7, 8], [9]]);
  const large = batches.score(lease, rows(...nine), never);
  runs[3]?.resolve();
  expect(await large).toEqual(nine.map(scoreOf));
});

test('after requests came together, the next one waits for others, but not for long', async () => {
  jest.useFakeTimers();
  try {
    const { runs, lease } = openModel();
    const batches = open({ batchWaitMs: 5 });
    const together = [rows(1), rows(2), rows(3)].map((each) => batches.score(lease, each, never));
    runs[0]?.resolve();
    await together[0];
    runs[1]?.resolve();
    await Promise.all(together);

    // As many as the last time are enough.
    const pair = [rows(4), rows(5)].map((each) => batches.score(lease, each, never));
    expect(valuesOf(runs.slice(2))).toEqual([[4, 5]]);
    runs[2]?.resolve();
    await Promise.all(pair);

    const waiting = batches.score(lease, rows(6), never);
    jest.advanceTimersByTime(4);
    expect(runs).toHaveLength(3);
    jest.advanceTimersByTime(1);
    expect(valuesOf(runs.slice(3))).toEqual([[6]]);
    runs[3]?.resolve();
    await waiting;

    // After one that came alone, nobody waits.
    const alone = batches.score(lease, rows(7), never);
    expect(valuesOf(runs.slice(4))).toEqual([[7]]);
    runs[4]?.resolve();
    await alone;
  } finally {
    jest.useRealTimers();
  }
});

test('rows that fill a batch are not kept waiting', async () => {
  const { runs, lease } = openModel();
  const batches = open({ batchWaitMs: 60_000 });
  const together = [rows(1), rows(2), rows(3), rows(4)].map((each) => batches.score(lease, each, never));
  runs[0]?.resolve();
  await together[0];
  runs[1]?.resolve();
  await Promise.all(together);
  // Two requests, where three came the last time.
  const full = [rows(1), rows(2, 3, 4, 5, 6, 7, 8)].map((each) => batches.score(lease, each, never));
  expect(valuesOf(runs.slice(2))).toEqual([[1, 2, 3, 4, 5, 6, 7, 8]]);
  runs[2]?.resolve();
  await Promise.all(full);
});

test('versions are not mixed', async () => {
  const [one, other] = [openModel('a'), openModel('b')];
  const batches = open();
  const answers = [
    batches.score(one.lease, rows(1), never),
    batches.score(other.lease, rows(2), never),
    batches.score(one.lease, rows(3), never),
    batches.score(other.lease, rows(4), never),
  ];
  one.runs[0]?.resolve();
  other.runs[0]?.resolve();
  await answers[0];
  await answers[1];
  one.runs[1]?.resolve();
  other.runs[1]?.resolve();
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4].map((value) => [scoreOf(value)]));
  expect([valuesOf(one.runs), valuesOf(other.runs)]).toEqual([
    [[1], [3]],
    [[2], [4]],
  ]);
});

test('more rows than may wait are refused, and taken again when there is room', async () => {
  const { runs, lease } = openModel();
  const batches = open({ queueRows: 3 });
  const running = batches.score(lease, rows(1), never);
  const waiting = batches.score(lease, rows(2, 3), never);
  await expect(batches.score(lease, rows(4, 5), never)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  const fits = batches.score(lease, rows(6), never);
  runs[0]?.resolve();
  await running;
  runs[1]?.resolve();
  expect(await Promise.all([waiting, fits])).toEqual([[scoreOf(2), scoreOf(3)], [scoreOf(6)]]);
});

test('a request alone may have more rows than may wait', async () => {
  const { runs, lease } = openModel();
  const batches = open({ queueRows: 2 });
  const large = batches.score(lease, rows(1, 2, 3), never);
  runs[0]?.resolve();
  expect(await large).toHaveLength(3);
});

test('who has gone is taken out, before or during the run, and makes room', async () => {
  const { runs, lease } = openModel();
  const batches = open({ queueRows: 1 });
  const [first, second] = [new AbortController(), new AbortController()];
  const running = batches.score(lease, rows(1), first.signal);
  const waiting = batches.score(lease, rows(2), second.signal);
  second.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  const next = batches.score(lease, rows(3), never);
  first.abort(new Error('gone too'));
  await expect(running).rejects.toThrow('gone too');
  await expect(batches.score(lease, rows(4), first.signal)).rejects.toThrow('gone too');
  runs[0]?.resolve();
  await nextTurn();
  runs[1]?.resolve();
  expect(await next).toEqual([scoreOf(3)]);
  expect(valuesOf(runs)).toEqual([[1], [3]]);
});

test('a row that the model cannot run fails its own request only', async () => {
  const { runs, lease } = openModel('a', (values) => values.includes(13));
  const batches = open();
  const answers = [rows(1), rows(2), rows(13), rows(4)].map((each) => batches.score(lease, each, never));
  const outcomes = Promise.allSettled(answers);
  for (let run = 0; run < 5; run += 1) {
    runs[run]?.resolve();
    await nextTurn();
  }
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  await expect(answers[2]).rejects.toMatchObject({ code: 'MODEL_FAILED' });
  expect(valuesOf(runs)).toEqual([[1], [2, 13, 4], [2], [13], [4]]);
});

test('tells how many rows were run together, how many wait, and how many requests were refused', async () => {
  const { runs, lease } = openModel();
  const batches = open({ queueRows: 3 });
  const gone = new AbortController();
  const waitingRows = async () => (await metrics.servingWaitingRows.get()).values;
  const running = batches.score(lease, rows(1), never);
  const waiting = batches.score(lease, rows(2, 3), never);
  const leaving = batches.score(lease, rows(4), gone.signal);
  await expect(batches.score(lease, rows(5), never)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  expect(await waitingRows()).toEqual([{ labels: { model: 'm' }, value: 3 }]);
  gone.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  expect(await waitingRows()).toEqual([{ labels: { model: 'm' }, value: 2 }]);
  runs[0]?.resolve();
  await running;
  runs[1]?.resolve();
  await waiting;
  expect(await waitingRows()).toEqual([{ labels: { model: 'm' }, value: 0 }]);

  const text = await metrics.registry.metrics();
  expect(text).toContain('presage_serving_batch_rows_bucket{le="1",model="m"} 1');
  expect(text).toContain('presage_serving_batch_rows_bucket{le="2",model="m"} 2');
  expect(text).toContain('presage_serving_batch_rows_sum{model="m"} 3');
  expect(text).toContain('presage_serving_queue_full_total{model="m"} 1');
});
