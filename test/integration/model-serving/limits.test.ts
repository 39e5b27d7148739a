import { once } from 'node:events';
import { connect } from 'node:net';
import { openServing, type ServingRoom, type ServingTestOptions } from '../../support/open-serving.ts';
import { readSmallCausalBundle } from '../../support/small-causal.ts';
import { until } from '../../support/until.ts';

const row = { rate: 2.5, spread: 1.25, sector: 'other' };

/** The model, whose runs wait until the test lets them go on. */
async function openHeldBack(limits: ServingTestOptions['limits'] = {}): Promise<ServingRoom & HeldBack> {
  const serving = await openServing({
    prepare: async (room) => room.promoteBundle(await readSmallCausalBundle()),
    limits,
  });
  const hosted = serving.models.get('small-causal');
  if (!hosted) throw new Error('the model is registered');
  const gate = Promise.withResolvers<void>();
  const rows: number[] = [];
  const { acquire } = hosted.served;
  hosted.served.acquire = () => {
    const lease = acquire();
    return (
      lease && {
        ...lease,
        async scorePrepared(prepared) {
          rows.push(prepared.rows.length);
          await gate.promise;
          return lease.scorePrepared(prepared);
        },
      }
    );
  };
  const { batches } = hosted;
  const score = batches.score.bind(batches);
  let arrived = 0;
  batches.score = (...given) => {
    arrived += 1;
    return score(...given);
  };
  return { ...serving, rows, goOn: () => gate.resolve(), arrived: (count) => until(() => arrived >= count) };
}

interface HeldBack {
  /** Of each run. */
  rows: number[];
  goOn(): void;
  /** Waits until so many requests have come to be run. */
  arrived(count: number): Promise<void>;
}

test('more than may wait is 503 QUEUE_FULL, and what waits is answered', async () => {
  await using serving = await openHeldBack({ queueRows: 2 });
  const predict = (body: unknown = row) => serving.post('/predict/small-causal', body);
  const first = predict();
  await serving.arrived(1);
  const waiting = predict([row, row]);
  await serving.arrived(2);
  const refused = await predict();
  expect(await refused.json()).toMatchObject({ code: 'QUEUE_FULL', status: 503 });
  expect(refused.headers.get('retry-after')).toBe('1');
  serving.goOn();
  expect([(await first).status, (await waiting).status]).toEqual([200, 200]);
  expect(serving.rows).toEqual([1, 2]);
  expect((await predict()).status).toBe(200);
});

test('an answer that would come too late is 504, by the setting or by what the caller asks for', async () => {
  await using serving = await openHeldBack({ deadlineMs: 60_000 });
  const predict = (header: string) =>
    serving.post('/predict/small-causal', row, { headers: { 'x-presage-deadline-ms': header } });
  const late = await predict('30');
  expect(late.status).toBe(504);
  expect(await late.json()).toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    detail: 'There is no answer within 30 ms.',
  });
  for (const header of ['soon', '-1', '0', '1.5', '99999999999']) {
    expect((await predict(header)).status).toBe(422);
  }
  serving.goOn();

  await using hasty = await openHeldBack({ deadlineMs: 20 });
  const slow = await hasty.post('/predict/small-causal', row, {
    headers: { 'x-presage-deadline-ms': '60000' },
  });
  expect(await slow.json()).toMatchObject({ detail: 'There is no answer within 20 ms.' });
  hasty.goOn();
});

test('the rows of a caller who has gone are not run', async () => {
  await using serving = await openHeldBack({ queueRows: 1 });
  const first = serving.post('/predict/small-causal', row);
  await serving.arrived(1);
  const gone = new AbortController();
  const going = serving.post('/predict/small-causal', row, { signal: gone.signal });
  await serving.arrived(2);
  gone.abort();
  await expect(going).rejects.toThrow('aborted');
  // Refused as long as those rows wait; else it waits itself, for longer than it can.
  const options = { headers: { 'x-presage-deadline-ms': '50' } };
  await until(async () => (await serving.post('/predict/small-causal', row, options)).status === 504);
  serving.goOn();
  expect((await first).status).toBe(200);
  expect((await serving.post('/predict/small-causal', row)).status).toBe(200);
  expect(serving.rows).toEqual([1, 1]);
});

test('no usable answer of the model is our fault, of that request only', async () => {
  await using serving = await openServing({
    prepare: async (room) => room.promoteBundle(await readSmallCausalBundle()),
  });
  const hosted = serving.models.get('small-causal');
  if (!hosted) throw new Error('the model is registered');
  hosted.batches.score = (_lease, prepared) =>
    Promise.resolve(
      prepared.rows.map(() => ({ kind: 'rejected', message: 'the model has no usable answer' })),
    );
  const response = await serving.post('/predict/small-causal', [row]);
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({
    code: 'INTERNAL_ERROR',
    detail: 'The model has no usable answer for row 0.',
  });
  expect(serving.logLines.some((line) => line.includes('"level":"error"'))).toBe(true);
});

test('a connection on which nothing was asked does not keep the server from closing', async () => {
  await using serving = await openServing();
  const silent = connect(Number(new URL(serving.url).port), '127.0.0.1');
  await once(silent, 'connect');
  const ended = once(silent, 'close');
  silent.resume();
  await serving.server.close();
  await ended;
  expect(silent.destroyed).toBe(true);
});

test('a server that closes answers what it has, and says that nothing more is heard on that connection', async () => {
  await using serving = await openHeldBack();
  const going = serving.post('/predict/small-causal', row);
  await serving.arrived(1);
  const closed = serving.server.close();
  await until(() => !serving.server.server.listening);
  serving.goOn();
  const response = await going;
  expect(response.status).toBe(200);
  expect(response.headers.get('connection')).toBe('close');
  await closed;
});

test('what arrives on a kept connection as the server closes is answered, not cut off', async () => {
  await using serving = await openServing();
  const kept = connect(Number(new URL(serving.url).port), '127.0.0.1');
  let heard = '';
  kept.setEncoding('utf8').on('data', (text: string) => void (heard += text));
  const ask = () => kept.write('GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
  ask();
  await until(() => heard.endsWith('{"live":true}'));
  const ended = once(kept, 'close');
  heard = '';
  ask();
  await serving.server.close();
  await ended;
  expect(heard).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*\{"live":true\}$/is);
});
