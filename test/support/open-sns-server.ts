import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** How an answer differs from a plain good one. */
export type SnsFault =
  /** An error of SNS with this status and code. */
  | { kind: 'status'; status: number; code: string }
  /** Status 200 with a body that is not SNS's. */
  | { kind: 'garbage' }
  | { kind: 'reset' }
  | { kind: 'hang' };

/** One message, as a subscriber would get it. */
export interface PublishedMessage {
  topicArn: string;
  subject: string;
  message: string;
  attributes: Record<string, { type: string; value: string }>;
}

/** A local server that speaks as much of SNS's query protocol as publishing needs. It checks no signature. */
export interface SnsServer extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL_SNS` is to be set to. */
  url: string;
  /** What was published, oldest first. */
  published: readonly PublishedMessage[];
  /** How many requests have arrived, answered or not. */
  requests(): number;
  /** Gives the next `calls` calls this fault, after the ones scripted before. */
  failNext(fault: SnsFault, calls?: number): void;
  /** Forgets what was published. */
  clear(): void;
}

export async function openSnsServer(): Promise<SnsServer> {
  const published: PublishedMessage[] = [];
  const faults: SnsFault[] = [];
  let requests = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    requests += 1;
    const fault = faults.shift();
    if (fault) {
      fail(fault, response);
      return;
    }
    if (request.method !== 'POST' || form.get('Action') !== 'Publish') {
      answerError(response, 400, 'InvalidAction');
      return;
    }
    published.push(messageIn(form));
    const result = `<PublishResult><MessageId>${published.length}</MessageId></PublishResult>`;
    answer(response, 200, `<PublishResponse xmlns="${namespace}">${result}</PublishResponse>`);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    published,
    requests: () => requests,
    failNext(fault, calls = 1) {
      for (let call = 0; call < calls; call += 1) faults.push(fault);
    },
    clear() {
      published.length = 0;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';

/** Attributes come numbered: `MessageAttributes.entry.1.Name`, `….Value.DataType`, `….Value.StringValue`. */
function messageIn(form: URLSearchParams): PublishedMessage {
  const attributes: PublishedMessage['attributes'] = {};
  for (let entry = 1; form.has(`MessageAttributes.entry.${entry}.Name`); entry += 1) {
    const field = (name: string) => form.get(`MessageAttributes.entry.${entry}.${name}`) ?? '';
    attributes[field('Name')] = { type: field('Value.DataType'), value: field('Value.StringValue') };
  }
  return {
    topicArn: form.get('TopicArn') ?? '',
    subject: form.get('Subject') ?? '',
    message: form.get('Message') ?? '',
    attributes,
  };
}

function fail(fault: SnsFault, response: ServerResponse): void {
  switch (fault.kind) {
    case 'status': {
      answerError(response, fault.status, fault.code);
      return;
    }
    case 'garbage': {
      answer(response, 200, 'not XML <');
      return;
    }
    case 'reset': {
      response.socket?.resetAndDestroy();
      return;
    }
    case 'hang': {
      return;
    }
  }
}

function answerError(response: ServerResponse, status: number, code: string): void {
  const type = status < 500 ? 'Sender' : 'Receiver';
  const error = `<Error><Type>${type}</Type><Code>${code}</Code><Message>scripted</Message></Error>`;
  answer(response, status, `<ErrorResponse xmlns="${namespace}">${error}</ErrorResponse>`);
}

function answer(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'text/xml' });
  response.end(xml);
}
