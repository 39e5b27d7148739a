import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createTally } from './create-tally.ts';

export interface LocalServerOptions {
  /** 0 or left out: the system chooses a free port. */
  port?: number | undefined;
  /** Answers a request whose body has been read, now or later. */
  handle: (request: IncomingMessage, body: string, response: ServerResponse) => void;
}

/** An HTTP server on this machine that can also answer late, slowly, in part, or not at all. */
export interface LocalServer extends AsyncDisposable {
  url: string;
  /** Does something after so many milliseconds, at once if none, unless the server is closed before. */
  later(delayMs: number, action: () => void): void;
  /** From now on `later` waits for the function that this answers, instead of for its time. */
  hold(): () => void;
  /** Answers headers at once and then a byte now and then, without an end. */
  drip(response: ServerResponse): void;
  /** Resets the connection before any answer. */
  reset(response: ServerResponse): void;
  /** Begins a JSON answer of which no more than this comes. */
  cutOff(response: ServerResponse, beginning: string): void;
  /** The largest number of requests that were waiting for their answers at the same time. */
  mostAtOnce(): number;
  /** Waits until so many requests have been given up by their client before they were answered. */
  abandoned(count: number): Promise<void>;
}

const dripIntervalMs = 100;

/** Listens when this resolves. */
export async function openLocalServer({ port = 0, handle }: LocalServerOptions): Promise<LocalServer> {
  const abandonments = createTally();
  const timers = new Set<NodeJS.Timeout>();
  let held: (() => void)[] | undefined;
  const brokenByUs = new WeakSet<ServerResponse>();
  let underWay = 0;
  let mostAtOnce = 0;

  const server = createServer((request, response) => {
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    response.on('close', () => {
      underWay -= 1;
      if (!response.writableEnded && !brokenByUs.has(response)) abandonments.add();
    });
    readBody(request)
      .then((body) => handle(request, body, response))
      // Only a client that goes away in the midst of its request makes this fail.
      .catch(() => response.destroy());
  });
  server.keepAliveTimeout = 600_000;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no TCP address');

  function later(delayMs: number, action: () => void): void {
    if (held) held.push(action);
    else if (delayMs === 0) action();
    else afterTime(delayMs, action);
  }

  function afterTime(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      action();
    }, delayMs);
    timers.add(timer);
  }

  function goOnDripping(response: ServerResponse): void {
    if (response.destroyed) return;
    response.write(' ');
    afterTime(dripIntervalMs, () => goOnDripping(response));
  }

  return {
    url: `http://127.0.0.1:${address.port}`,
    later,
    hold() {
      const actions: (() => void)[] = [];
      held = actions;
      return () => {
        held = undefined;
        for (const action of actions) action();
      };
    },
    drip(response) {
      response.writeHead(200, { 'content-type': 'application/json' });
      goOnDripping(response);
    },
    reset(response) {
      brokenByUs.add(response);
      response.socket?.resetAndDestroy();
    },
    cutOff(response, beginning) {
      brokenByUs.add(response);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
      response.write(beginning, () => response.destroy());
    },
    mostAtOnce: () => mostAtOnce,
    abandoned: (count) => abandonments.reached(count),
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
