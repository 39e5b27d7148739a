import { stat } from 'node:fs/promises';
import { createUnlessLate } from '../../../../shared/outside-call/create-unless-late.ts';

const never = () => Promise.withResolvers<never>().promise;

describe('createUnlessLate', () => {
  it('gives what the call gives', async () => {
    const unlessLate = createUnlessLate({ timeoutMs: 60_000, restMs: 60_000 });
    await expect(unlessLate(() => Promise.resolve(1))).resolves.toBe(1);
    await expect(unlessLate(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(unlessLate(() => Promise.resolve(2))).resolves.toBe(2);
  });

  it('waits no longer, and then makes no call for a while', async () => {
    const unlessLate = createUnlessLate({ timeoutMs: 5, restMs: 60_000 });
    await expect(unlessLate(never)).resolves.toBeUndefined();
    let calls = 0;
    const call = () => Promise.resolve((calls += 1));
    await expect(unlessLate(call)).resolves.toBeUndefined();
    expect(calls).toBe(0);
  });

  it('takes an answer that has come in time, though this process was held up and reads it late', async () => {
    const unlessLate = createUnlessLate({ timeoutMs: 5, restMs: 60_000 });
    const call = () => {
      const answer = stat('.');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      return answer;
    };
    for (let time = 0; time < 5; time += 1) await expect(unlessLate(call)).resolves.toBeDefined();
  });

  it('makes calls again afterwards', async () => {
    const unlessLate = createUnlessLate({ timeoutMs: 5, restMs: 0 });
    await expect(unlessLate(never)).resolves.toBeUndefined();
    await expect(unlessLate(() => Promise.resolve(1))).resolves.toBe(1);
  });

  it('lets a call fail later without anybody noticing', async () => {
    const unlessLate = createUnlessLate({ timeoutMs: 5, restMs: 0 });
    const { promise, reject } = Promise.withResolvers();
    await expect(unlessLate(() => promise)).resolves.toBeUndefined();
    reject(new Error('too late to matter'));
    await expect(unlessLate(() => Promise.resolve(1))).resolves.toBe(1);
  });
});
