import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** How an answer differs from the emulator's. */
export type DynamodbFault =
  /** An answer in DynamoDB's form: an error when it has a type. */
  | { kind: 'answer'; status: number; type?: string; body?: Record<string, unknown> }
  /** Status 200 with a body that is not JSON. */
  | { kind: 'garbage' }
  | { kind: 'reset' }
  /** The connection ends in the middle of the answer. */
  | { kind: 'cut-off' }
  | { kind: 'hang' }
  /** The emulator does what is asked, and the answer is lost. */
  | { kind: 'lost-answer' };

/** Stands before a DynamoDB emulator and gives some calls other answers. */
export interface DynamodbProxy extends AsyncDisposable {
  url: string;
  /** The operations that were asked for, oldest first. */
  operations: readonly string[];
  /** Gives the next `calls` calls of the operation this fault, after the ones scripted before. */
  failNext(operation: string, fault: DynamodbFault, calls?: number): void;
}

export async function openDynamodbProxy(emulatorUrl: string): Promise<DynamodbProxy> {
  const operations: string[] = [];
  const faults = new Map<string, DynamodbFault[]>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    operations.push(operation);
    const fault = faults.get(operation)?.shift();
    if (fault && fault.kind !== 'lost-answer') {
      fail(fault, response);
      return;
    }
    const answer = await fetch(`${emulatorUrl}${request.url}`, {
      method: 'POST',
      headers: {
        'x-amz-target': String(request.headers['x-amz-target']),
        'content-type': String(request.headers['content-type']),
        authorization: String(request.headers.authorization),
        'x-amz-date': String(request.headers['x-amz-date']),
      },
      body: new Uint8Array(body),
    });
    const text = await answer.text();
    if (fault) {
      response.socket?.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(text);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    operations,
    failNext(operation, fault, calls = 1) {
      const scripted = faults.get(operation) ?? [];
      for (let call = 0; call < calls; call += 1) scripted.push(fault);
      faults.set(operation, scripted);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function fail(fault: Exclude<DynamodbFault, { kind: 'lost-answer' }>, response: ServerResponse): void {
  switch (fault.kind) {
    case 'answer': {
      const { status, type, body = {} } = fault;
      const error = type === undefined ? {} : { __type: `com.amazonaws.dynamodb.v20120810#${type}` };
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ ...error, ...body }));
      return;
    }
    case 'garbage': {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end('<html>\n    at stu_4532 (secret.ts:1:1)</html>');
      return;
    }
    case 'reset': {
      response.socket?.resetAndDestroy();
      return;
    }
    case 'cut-off': {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': 1_000 });
      response.write('{"Item":', () => response.destroy());
      return;
    }
    case 'hang': {
      return;
    }
  }
}
