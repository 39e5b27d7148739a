import { unlessAborted } from '../../../../shared/outside-call/unless-aborted.ts';

const reason = new Error('enough');

describe('unlessAborted', () => {
  it('gives what the promise gives', async () => {
    const { signal } = new AbortController();
    await expect(unlessAborted(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(unlessAborted(Promise.reject(reason), signal)).rejects.toBe(reason);
  });

  it('throws the reason as soon as the signal is aborted', async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(Promise.withResolvers().promise, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(unlessAborted(Promise.resolve(1), controller.signal)).rejects.toBe(reason);
  });

  it('lets a promise fail later without anybody noticing', async () => {
    const controller = new AbortController();
    const { promise, reject } = Promise.withResolvers();
    const waiting = unlessAborted(promise, controller.signal);
    controller.abort(reason);
    reject(new Error('too late to matter'));
    await expect(waiting).rejects.toBe(reason);
  });
});
