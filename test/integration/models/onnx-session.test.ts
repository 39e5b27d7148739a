import type { OnnxNetwork } from '../../../shared/models/onnx-message.ts';
import { openOnnxSession } from '../../../shared/models/open-onnx-session.ts';
import { prepareFeatures } from '../../../shared/models/prepare-features.ts';
import { catchThreads } from '../../support/catch-threads.ts';
import { readLeadConversion } from '../../support/open-test-bundles.ts';

let network: OnnxNetwork;
/** The golden inputs, one row after the other. */
let golden: Float32Array;

beforeAll(async () => {
  const { manifest, network: bytes } = await readLeadConversion();
  network = { bytes, input: 'features', columns: 19, outputs: [{ name: 'log_odds', width: 5 }] };
  golden = prepareFeatures(manifest.feature_columns)(
    manifest.golden.cases.map(({ input }) => input),
  ).features;
});

const rowOf = (features: Float32Array, row: number) => features.subarray(row * 19, (row + 1) * 19);
const refused = (reason: unknown) => ({
  kind: 'permanent',
  code: 'MODEL_UNFIT',
  message: expect.stringContaining(String(reason)) as string,
});
const failed = (reason: unknown) => ({
  kind: 'transient',
  code: 'MODEL_FAILED',
  message: expect.stringContaining(String(reason)) as string,
});

it('answers a row alone as it does among others, however many pieces they are run in', async () => {
  await using session = await openOnnxSession(network);
  const rows = 600;
  const goldenRows = golden.length / 19;
  const many = new Float32Array(rows * 19);
  for (let row = 0; row < rows; row += 1) many.set(rowOf(golden, row % goldenRows), row * 19);
  const together = await session.run(many);
  const alone = await Promise.all(
    Array.from({ length: rows }, (_nothing, row) => session.run(rowOf(many, row))),
  );
  expect(together.map(({ length }) => length)).toEqual([rows * 5]);
  expect(together.map((values) => [...values])).toEqual([alone.flatMap(([values]) => [...(values ?? [])])]);
});

it('lets a small run that is asked for later end before a large one', async () => {
  await using session = await openOnnxSession(network);
  const many = new Float32Array(20_000 * 19).fill(1);
  const ended: string[] = [];
  await Promise.all([
    session.run(many).then(() => ended.push('large')),
    session.run(rowOf(golden, 0)).then(() => ended.push('small')),
  ]);
  expect(ended).toEqual(['small', 'large']);
});

it('leaves the rows to the caller, and the bytes too', async () => {
  const before = [...golden];
  await using session = await openOnnxSession(network);
  await session.run(golden);
  expect([...golden]).toEqual(before);
  await using another = await openOnnxSession(network);
  expect(await another.run(golden)).toEqual(await session.run(golden));
});

it('answers nothing for no rows', async () => {
  await using session = await openOnnxSession(network);
  expect(await session.run(new Float32Array(0))).toEqual([new Float32Array(0)]);
});

it.each([
  ['its input has another name', { input: 'inputs' }, 'has no inputs, but features'],
  ['its output has another name', { outputs: [{ name: 'odds', width: 5 }] }, 'has no odds, but log_odds'],
  ['it takes more columns', { columns: 18 }, 'its features has the shape [rows, 19], not [rows, 18]'],
  [
    'it answers more members',
    { outputs: [{ name: 'log_odds', width: 4 }] },
    'its log_odds has the shape [rows, 5], not [rows, 4]',
  ],
])('refuses a network when %s', async (_title, change, reason) => {
  using caught = catchThreads();
  await expect(openOnnxSession({ ...network, ...change })).rejects.toMatchObject(refused(reason));
  expect([caught.threads.length, caught.alive()]).toEqual([1, 0]);
});

it('refuses bytes that are no network, or half of one', async () => {
  using caught = catchThreads();
  const { bytes } = network;
  for (const broken of [new Uint8Array(0), Buffer.from('no network'), bytes.subarray(0, bytes.length / 2)]) {
    await expect(openOnnxSession({ ...network, bytes: broken })).rejects.toMatchObject(
      refused('cannot be used'),
    );
  }
  expect([caught.threads.length, caught.alive()]).toEqual([3, 0]);
});

it('fails a run that the network cannot do, and goes on', async () => {
  await using session = await openOnnxSession(network);
  await expect(session.run(golden.subarray(0, 20))).rejects.toMatchObject(failed('The model failed: '));
  expect((await session.run(rowOf(golden, 0))).map(({ length }) => length)).toEqual([5]);
});

it('fails runs in hand and later ones when its thread is ended, and tells', async () => {
  using caught = catchThreads();
  await using session = await openOnnxSession(network);
  const gone = caught.threads[0]?.terminate();
  const runs = [session.run(golden), session.run(golden)];
  for (const run of runs) await expect(run).rejects.toMatchObject(failed('its thread has ended'));
  await gone;
  expect(await session.ended).toMatchObject(failed('its thread has ended'));
  await expect(session.run(golden)).rejects.toMatchObject(failed('its thread has ended'));
});

it('fails runs in hand when its thread breaks, with the cause', async () => {
  using caught = catchThreads();
  await using session = await openOnnxSession(network);
  caught.threads[0]?.postMessage(null);
  await expect(session.run(golden)).rejects.toMatchObject({
    ...failed('its thread broke'),
    cause: expect.objectContaining({ name: 'TypeError' }) as unknown,
  });
  expect(await session.ended).toMatchObject(failed('its thread broke'));
});

it('ends its thread when it is disposed', async () => {
  using caught = catchThreads();
  const session = await openOnnxSession(network);
  expect(caught.alive()).toBe(1);
  await session[Symbol.asyncDispose]();
  expect(caught.alive()).toBe(0);
  expect(await session.ended).toBeUndefined();
  await session[Symbol.asyncDispose]();
  await expect(session.run(golden)).rejects.toMatchObject(failed('has ended'));
});
