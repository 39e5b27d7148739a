import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TextCollector extends AsyncDisposable {
  url: string;
  /** The bodies of all requests so far, one after the other. */
  received(): string;
}

/** A local server that thanks for everything: traces, for example. */
export async function openTextCollector(): Promise<TextCollector> {
  let received = '';
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (part: string) => (received += part));
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
