import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Stands before DynamoDB and can keep items from being stored. */
export interface DynamodbGate extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL_DYNAMODB` is to be set to. */
  url: string;
  /** From now on items wait here; everything else passes. */
  close(): void;
  /** Lets those pass that are still waited for, and all that come later. */
  open(): void;
  /** How many items wait here now. */
  waiting(): number;
}

export async function openDynamodbGate(dynamodbUrl: string): Promise<DynamodbGate> {
  let gate: PromiseWithResolvers<void> | undefined;
  let waiting = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const operation = String(request.headers['x-amz-target']);
    if (gate && operation.endsWith('.PutItem')) {
      waiting += 1;
      await gate.promise;
      waiting -= 1;
      // Its client is gone: what it asked for has not happened.
      if (response.destroyed) return;
    }
    const answer = await fetch(`${dynamodbUrl}${request.url}`, {
      method: request.method ?? 'POST',
      headers: {
        'x-amz-target': operation,
        'content-type': String(request.headers['content-type']),
        authorization: String(request.headers.authorization),
        'x-amz-date': String(request.headers['x-amz-date']),
      },
      body: new Uint8Array(body),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gate has no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      gate ??= Promise.withResolvers();
    },
    open() {
      gate?.resolve();
      gate = undefined;
    },
    waiting: () => waiting,
    async [Symbol.asyncDispose]() {
      gate?.resolve();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
