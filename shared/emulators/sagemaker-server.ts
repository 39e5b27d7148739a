import type { IncomingMessage, ServerResponse } from 'node:http';
import { createTally } from './create-tally.ts';
import { inventCallTime } from './invent-call-time.ts';
import { openLocalServer } from './open-local-server.ts';

/** How an answer can differ from a plain good one. */
export type EndpointFault =
  /** An AWS error with this status, optionally with `Retry-After` in seconds. */
  | { kind: 'status'; status: number; errorType?: string; retryAfterSeconds?: number }
  /** A refusal whose message quotes the request, as vendors' messages do. */
  | { kind: 'quoting' }
  /** The model behind the endpoint failed: status 424, as SageMaker tells it. */
  | { kind: 'model-error' }
  /** The request is read and never answered. */
  | { kind: 'hang' }
  /** The connection is reset before any answer. */
  | { kind: 'reset' }
  /** The answer's JSON ends in its middle. */
  | { kind: 'truncated' }
  /** The connection ends in the middle of the answer. */
  | { kind: 'cut-off' }
  /** A good answer with fields that no document names. */
  | { kind: 'extra-fields' }
  /** Valid JSON that is no call time. */
  | { kind: 'schema-breaking' }
  | { kind: 'empty' }
  /** More bytes than any answer has. */
  | { kind: 'oversized' }
  /** Headers at once, then a byte now and then, without an end. */
  | { kind: 'slow-drip' };

/** What the server was asked. */
export interface RecordedRequest {
  endpointName: string;
  /** The body as it arrived. */
  body: string;
  phoneNumber: string | undefined;
  contentType: string | undefined;
  accept: string | undefined;
}

export interface SagemakerServer extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` is to be set to. */
  url: string;
  /** The latest requests, oldest first. */
  requests: readonly RecordedRequest[];
  callsByNumber(): Map<string, number>;
  /** The largest number of requests that were waiting for their answers at the same time. */
  mostAtOnce(): number;
  /** Gives the next `calls` calls this fault, after the ones scripted before. */
  failNext(fault: EndpointFault, calls?: number): void;
  /** Forgets the scripted faults. */
  recover(): void;
  setLatency(latencyMs: number): void;
  /** Keeps good answers back from now on, until the function that it answers is called. */
  hold(): () => void;
  /** Waits until so many requests have arrived since the start. */
  arrived(count: number): Promise<void>;
  /** Waits until so many requests have been given up by their client before they were answered. */
  abandoned(count: number): Promise<void>;
}

export interface SagemakerServerOptions {
  /** 0 or left out: the system chooses a free port. */
  port?: number;
  /** How long an answer takes, in milliseconds. */
  latencyMs?: number;
}

const keptRequests = 20_000;
const oversizedBytes = 4 * 1024 * 1024;

/**
 * A local server that speaks SageMaker Runtime's wire format (`POST /endpoints/{name}/invocations`), for tests,
 * benchmarks and the demo. It holds no model: its predictions are plausible inventions, the same each time for
 * the same phone number and timezone. It checks no signature.
 */
export async function openSagemakerServer(options: SagemakerServerOptions = {}): Promise<SagemakerServer> {
  let latencyMs = options.latencyMs ?? 0;
  const arrivals = createTally();
  const requests: RecordedRequest[] = [];
  const faults: EndpointFault[] = [];

  function record(request: IncomingMessage, endpointName: string, body: string): RecordedRequest {
    const recorded = {
      endpointName,
      body,
      phoneNumber: textField(body, 'phoneNumber'),
      contentType: request.headers['content-type'],
      accept: request.headers.accept,
    };
    requests.push(recorded);
    if (requests.length > keptRequests) requests.shift();
    arrivals.add();
    return recorded;
  }

  function fail(fault: EndpointFault, body: string, response: ServerResponse): void {
    switch (fault.kind) {
      case 'status': {
        if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', fault.retryAfterSeconds);
        answerError(response, fault.status, fault.errorType ?? errorTypeOf(fault.status));
        return;
      }
      case 'quoting': {
        answerError(response, 400, 'ValidationError', { Message: `cannot use\n    at ${body}` });
        return;
      }
      case 'model-error': {
        answerError(response, 424, 'ModelError', { OriginalStatusCode: 500, OriginalMessage: 'scripted' });
        return;
      }
      case 'hang': {
        return;
      }
      case 'reset': {
        local.reset(response);
        return;
      }
      case 'truncated': {
        answer(response, '{"preferredDayOfWeek":[1,2,3],"preferredHourRange":{"start":10,');
        return;
      }
      case 'cut-off': {
        local.cutOff(response, '{"preferredDayOfWeek":[1,2,3],');
        return;
      }
      case 'extra-fields': {
        answer(response, JSON.stringify({ ...inventCallTime('', 'UTC'), model: 'v2', scores: [0.1] }));
        return;
      }
      case 'schema-breaking': {
        answer(
          response,
          '{"preferredDayOfWeek":"weekdays","preferredHourRange":{"start":18,"end":10},"confidence":85}',
        );
        return;
      }
      case 'empty': {
        answer(response, '');
        return;
      }
      case 'oversized': {
        answer(response, JSON.stringify({ padding: 'x'.repeat(oversizedBytes) }));
        return;
      }
      case 'slow-drip': {
        local.drip(response);
      }
    }
  }

  function handle(request: IncomingMessage, body: string, response: ServerResponse): void {
    const endpointName = /^\/endpoints\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1];
    if (request.method !== 'POST' || endpointName === undefined) {
      answerError(response, 404, 'UnknownOperationException');
      return;
    }
    const { phoneNumber } = record(request, decodeURIComponent(endpointName), body);
    const fault = faults.shift();
    if (fault) {
      fail(fault, body, response);
    } else if (phoneNumber === undefined) {
      answerError(response, 400, 'ValidationError');
    } else {
      const prediction = JSON.stringify(inventCallTime(phoneNumber, textField(body, 'timezone') ?? 'UTC'));
      local.later(latencyMs, () => answer(response, prediction));
    }
  }

  const local = await openLocalServer({ port: options.port, handle });

  return {
    url: local.url,
    requests,
    callsByNumber() {
      const calls = new Map<string, number>();
      for (const { phoneNumber } of requests) {
        if (phoneNumber !== undefined) calls.set(phoneNumber, (calls.get(phoneNumber) ?? 0) + 1);
      }
      return calls;
    },
    mostAtOnce: () => local.mostAtOnce(),
    failNext(fault, calls = 1) {
      for (let call = 0; call < calls; call += 1) faults.push(fault);
    },
    recover() {
      faults.length = 0;
    },
    setLatency(milliseconds) {
      latencyMs = milliseconds;
    },
    hold: () => local.hold(),
    arrived: (count) => arrivals.reached(count),
    abandoned: (count) => local.abandoned(count),
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  };
}

function textField(json: string, field: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const value: unknown = Object.entries(parsed).find(([name]) => name === field)?.[1];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function answer(response: ServerResponse, body: string): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-amzn-invoked-production-variant': 'local',
  });
  response.end(body);
}

function answerError(
  response: ServerResponse,
  status: number,
  errorType: string,
  fields: Record<string, unknown> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': errorType });
  response.end(JSON.stringify({ Message: 'Scripted by the local server', ...fields }));
}

function errorTypeOf(status: number): string {
  if (status === 429) return 'ThrottlingException';
  if (status === 503) return 'ServiceUnavailable';
  return status < 500 ? 'ValidationError' : 'InternalFailure';
}
