import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { findFreePort, isPortFree, startOnFreePort } from '../../../shared/embedded/find-free-port.ts';

async function occupy(port: number) {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) };
}

test('keeps the wanted port while it is free and takes another when it is not', async () => {
  const port = await findFreePort();
  expect(await findFreePort(port)).toBe(port);
  await using _server = await occupy(port);
  expect(await isPortFree(port)).toBe(false);
  expect(await findFreePort(port)).not.toBe(port);
});

test('leaves a port to the process that was given it, also while nothing listens on it', async () => {
  const source = `
    import { findFreePort } from ${JSON.stringify(path.join(import.meta.dirname, '../../../shared/embedded/find-free-port.ts'))};
    console.log(await findFreePort());
    process.stdin.resume();`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(owner, 'exit');
  const port = Number(await once(owner.stdout, 'data'));
  expect(await isPortFree(port)).toBe(true);
  expect(await findFreePort(port)).not.toBe(port);
  owner.stdin.end();
  await ended;
  expect(await findFreePort(port)).toBe(port);
});

test('tries another port when somebody takes it before the server does', async () => {
  await using stack = new AsyncDisposableStack();
  const tried: number[] = [];
  const port = await startOnFreePort(undefined, async (candidate) => {
    tried.push(candidate);
    if (tried.length === 1) {
      stack.use(await occupy(candidate));
      throw new Error('address in use');
    }
    return candidate;
  });
  expect(tried).toHaveLength(2);
  expect(port).toBe(tried[1]);
});

test('an error that is not about the port is thrown at once', async () => {
  let starts = 0;
  const start = startOnFreePort(undefined, () => {
    starts++;
    return Promise.reject(new Error('the configuration is wrong'));
  });
  await expect(start).rejects.toThrow('the configuration is wrong');
  expect(starts).toBe(1);
});
