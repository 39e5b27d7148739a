import type { LeadShadowScoresTable } from '../../../../shared/database/lead-shadow-scores-table.ts';
import type { FeatureRow } from '../../../../shared/models/prepare-features.ts';
import type { RowScore } from '../../../../shared/models/row-score.ts';
import { createLogger } from '../../../../shared/telemetry/create-logger.ts';
import { createMetrics, type Metrics } from '../../../../shared/telemetry/create-metrics.ts';
import { openShadow, type Shadow } from '../../../../workers/lead-scoring/open-shadow.ts';
import { playChallenger, scoredHalf, type PlayedChallenger } from '../../../support/play-challenger.ts';

const scoredAt = new Date('2026-03-02T09:00:00Z');
const longMs = 60_000;

let metrics: Metrics;
let recorded: LeadShadowScoresTable[];
let challenger: PlayedChallenger;
let scores: (rows: readonly FeatureRow[]) => Promise<RowScore<'binary_classifier'>[]>;
let shadow: Shadow;
beforeEach(async () => {
  metrics = createMetrics();
  recorded = [];
  scores = (rows) => Promise.resolve(rows.map(() => scoredHalf));
  challenger = await playChallenger((rows) => scores(rows));
  const rows = {
    record(compared: readonly LeadShadowScoresTable[]) {
      recorded.push(...compared);
      return Promise.resolve(compared.length);
    },
  };
  const log = createLogger({ process: 'test', level: 'silent' });
  jest.useFakeTimers();
  shadow = openShadow({ challenger, rows, metrics, log });
});
afterEach(() => {
  shadow[Symbol.dispose]();
  jest.useRealTimers();
  metrics[Symbol.dispose]();
});

const score = { probability: 0.25, confidence: 0.75, coverage: 1 };

/** Answers leads as the worker does. */
function answer(leads: number, { modelVersion = '1.0.0', features = '{"age":40}' } = {}): Promise<void> {
  const asked = Array.from({ length: leads }, (_, place) => ({ leadId: `lead-${place}`, features }));
  const outcomes = new Map(asked.map(({ leadId }) => [leadId, { kind: 'scored' as const, score }]));
  return shadow.whileAnswering(() => {
    shadow.offer({ jobId: 'job', modelVersion, scoredAt, asked, outcomes });
    return Promise.resolve();
  });
}

async function counts(): Promise<Record<string, number>> {
  const { values } = await metrics.shadowRows.get();
  return Object.fromEntries(
    values.map(({ labels, value }) => [`${labels.version} ${labels.outcome}`, value]),
  );
}

test('nothing is compared while an answer is being made, nor just after it', async () => {
  const other = Promise.withResolvers<void>();
  const answering = shadow.whileAnswering(() => other.promise);
  await answer(10);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(challenger.asked).toEqual([]);
  other.resolve();
  await answering;
  expect(challenger.asked).toEqual([]);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(challenger.asked).toEqual([10]);
  expect(recorded).toHaveLength(10);
});

test('an answer that begins meanwhile waits for nothing, and the rest waits for its end', async () => {
  const slice = Promise.withResolvers<void>();
  scores = async (rows) => {
    await slice.promise;
    return rows.map(() => scoredHalf);
  };
  await answer(600);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(challenger.asked).toEqual([256]);
  const other = Promise.withResolvers<void>();
  const answering = shadow.whileAnswering(() => other.promise);
  slice.resolve();
  await jest.advanceTimersByTimeAsync(longMs);
  expect(challenger.asked).toEqual([256]);
  expect(recorded).toHaveLength(256);
  other.resolve();
  await answering;
  await jest.advanceTimersByTimeAsync(longMs);
  expect(challenger.asked).toEqual([256, 256, 88]);
  expect(await counts()).toEqual({ '9.9.9 compared': 600 });
});

test('an answer is what it is, a failure too', async () => {
  expect(await shadow.whileAnswering(() => Promise.resolve('an answer'))).toBe('an answer');
  const failure = new Error('no answer');
  await expect(shadow.whileAnswering(() => Promise.reject(failure))).rejects.toBe(failure);
  await answer(1);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(recorded).toHaveLength(1);
});

test('a challenger that does not answer leaves everything else alone; what is too much is skipped', async () => {
  scores = () => new Promise(() => {});
  await answer(1_000);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(challenger.asked).toEqual([256]);
  for (let round = 0; round < 20; round += 1) await answer(1_000);
  expect(await counts()).toEqual({ '9.9.9 skipped': 1_000 });
  expect(challenger.leases()).toBe(1);
  shadow[Symbol.dispose]();
  // Its version may be unloaded, whatever it still does.
  expect(challenger.leases()).toBe(0);
  expect(await counts()).toEqual({ '9.9.9 skipped': 21_000 });
  await answer(5);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(await counts()).toEqual({ '9.9.9 skipped': 21_000 });
  expect([challenger.asked, recorded]).toEqual([[256], []]);
});

test('features that are large are fewer', async () => {
  const features = JSON.stringify({ text: 'x'.repeat(16 * 1024 * 1024 - 11) });
  await answer(5, { features });
  expect(await counts()).toEqual({ '9.9.9 skipped': 1 });
  await jest.advanceTimersByTimeAsync(longMs);
  // And there is room again.
  await answer(4, { features });
  await jest.advanceTimersByTimeAsync(longMs);
  expect(await counts()).toEqual({ '9.9.9 skipped': 1, '9.9.9 compared': 8 });
});

test('what a challenger is asked about is neither compared with itself nor with another one', async () => {
  await answer(3, { modelVersion: '9.9.9' });
  await jest.advanceTimersByTimeAsync(longMs);
  expect(await counts()).toEqual({});
  await answer(3);
  const { manifest, ...info } = challenger.current() ?? fail();
  challenger.acquire = () => ({
    ...info,
    manifest: { ...manifest, version: '10.0.0' },
    score: (rows) => scores(rows),
    scorePrepared: () => fail(),
    [Symbol.dispose]: () => {},
  });
  await jest.advanceTimersByTimeAsync(longMs);
  challenger.acquire = () => undefined;
  await answer(2);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(await counts()).toEqual({ '9.9.9 skipped': 5 });
  expect(recorded).toEqual([]);
});

test('what fails is counted, and the next leads are compared again', async () => {
  scores = () => Promise.reject(new Error('its thread broke'));
  await answer(300);
  await jest.advanceTimersByTimeAsync(longMs);
  scores = (rows) => Promise.resolve(rows.map(() => scoredHalf));
  await answer(7);
  await jest.advanceTimersByTimeAsync(longMs);
  expect(await counts()).toEqual({ '9.9.9 failed': 300, '9.9.9 compared': 7 });
  expect(challenger.leases()).toBe(0);
});

function fail(): never {
  throw new Error('there is one');
}
