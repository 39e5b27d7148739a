import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/**
 * Lets a server close as soon as the requests in hand are answered, and tells their callers to ask nothing more on
 * their connections: what they sent next would be cut off. Node itself waits for connections on which nothing was ever
 * asked, such as those that a client opened for a request that it gave up before it was sent.
 */
export function endConnectionsOnClose(server: FastifyInstance): void {
  const { server: http } = server;
  const underWay = new Set<ServerResponse>();
  let isClosing = false;
  function endIfDone(): void {
    if (isClosing && underWay.size === 0) http.closeAllConnections();
  }
  http.on('request', (_request, response: ServerResponse) => {
    underWay.add(response);
    response.once('close', () => {
      underWay.delete(response);
      endIfDone();
    });
  });
  server.addHook('preClose', async () => {
    // What has arrived by now is read when this turn is over and another one too: it is answered, not cut off.
    await nextTurn();
    await nextTurn();
    isClosing = true;
    for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close');
    endIfDone();
  });
}
