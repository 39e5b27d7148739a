import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenUsage } from '../text-generation/text-generator.ts';
import { chatFormat } from './chat-format.ts';
import { converseFormat } from './converse-format.ts';
import { createTally } from './create-tally.ts';
import { inventJson } from './invent-json.ts';
import type { LlmDialect, LlmQuestion, RecordedLlmRequest } from './llm-dialect.ts';
import type { LlmFault } from './llm-fault.ts';
import { openLocalServer } from './open-local-server.ts';

export type { LlmDialect, LlmFault, RecordedLlmRequest };

export interface LlmServer extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` is to be set to. */
  url: string;
  /** What `OPENAI_BASE_URL` and `TOGETHER_BASE_URL` are to be set to. */
  chatUrl: string;
  /** The latest requests, oldest first. */
  requests: readonly RecordedLlmRequest[];
  /** Calls that were answered with 200 in full, by dialect, and the tokens that they were told. */
  answered(): Record<LlmDialect, { calls: number; usage: TokenUsage }>;
  /** Gives the next `calls` calls of the dialect this fault, after the ones scripted before. */
  failNext(dialect: LlmDialect, fault: LlmFault, calls?: number): void;
  /** Gives every call of the dialect this fault, until `recover`. */
  failAlways(dialect: LlmDialect, fault: LlmFault): void;
  /** Forgets the scripted faults. */
  recover(): void;
  /** The largest number of requests that were waiting for their answers at the same time. */
  mostAtOnce(): number;
  setLatency(latencyMs: number): void;
  /** Keeps good answers back from now on, until the function that it answers is called. */
  hold(): () => void;
  /** Waits until so many requests have arrived since the start. */
  arrived(count: number): Promise<void>;
  /** Waits until so many requests have been given up by their client before they were answered. */
  abandoned(count: number): Promise<void>;
}

export interface LlmServerOptions {
  /** 0 or left out: the system chooses a free port. */
  port?: number;
  /** How long an answer takes, in milliseconds. */
  latencyMs?: number;
  /** The text of a good answer; without it, values that fit the schema are invented. */
  answer?: (request: RecordedLlmRequest, jsonSchema: unknown) => string;
  /** The fault of a call that none was scripted for. `index` counts the requests from 0. */
  faultFor?: (request: RecordedLlmRequest, index: number) => LlmFault | undefined;
}

const keptRequests = 20_000;
const oversizedBytes = 16 * 1024 * 1024;
const formats = { converse: converseFormat, chat: chatFormat };
const noUsage: TokenUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

/**
 * A local server that speaks the wire formats of Bedrock's Converse API and of chat completions, for tests,
 * benchmarks and the demo. It holds no model: its answers fit the schema that came with the request and are
 * inventions, the same each time for the same prompt. It checks no signature and no key; it refuses what the
 * vendors are known to refuse.
 */
export async function openLlmServer(options: LlmServerOptions = {}): Promise<LlmServer> {
  let latencyMs = options.latencyMs ?? 0;
  let received = 0;
  const arrivals = createTally();
  const requests: RecordedLlmRequest[] = [];
  const nextFaults: Record<LlmDialect, LlmFault[]> = { converse: [], chat: [] };
  const lastingFaults: Partial<Record<LlmDialect, LlmFault>> = {};
  const told = { converse: { calls: 0, usage: noUsage }, chat: { calls: 0, usage: noUsage } };
  const answerOf =
    options.answer ??
    ((request, jsonSchema) =>
      JSON.stringify(inventJson(jsonSchema, request.messages.map(({ text }) => text).join('\n'))));

  function record(request: RecordedLlmRequest): LlmFault | undefined {
    const { dialect } = request;
    requests.push(request);
    if (requests.length > keptRequests) requests.shift();
    arrivals.add();
    const index = received;
    received += 1;
    return nextFaults[dialect].shift() ?? lastingFaults[dialect] ?? options.faultFor?.(request, index);
  }

  /** Answers with status 200 and tells the tokens, which a vendor would send a bill for. */
  function reply(
    dialect: LlmDialect,
    question: LlmQuestion,
    text: string,
    response: ServerResponse,
    isCutShort = false,
  ): void {
    if (response.destroyed) return;
    const { system, messages } = question;
    const usage = {
      ...noUsage,
      inputTokens: tokensIn(system + messages.map((message) => message.text).join('')),
      outputTokens: tokensIn(text),
    };
    const { calls, usage: before } = told[dialect];
    told[dialect] = {
      calls: calls + 1,
      usage: {
        ...noUsage,
        inputTokens: before.inputTokens + usage.inputTokens,
        outputTokens: before.outputTokens + usage.outputTokens,
      },
    };
    send(response, 200, formats[dialect].replyBody(question, { text, isCutShort, usage }));
  }

  function fail(
    fault: LlmFault,
    request: RecordedLlmRequest,
    question: LlmQuestion,
    response: ServerResponse,
  ): void {
    const { dialect } = request;
    const good = () => answerOf(request, question.jsonSchema);
    switch (fault.kind) {
      case 'status': {
        const message = 'Scripted by the local server';
        const { headers, body } = formats[dialect].errorOf(fault.status, fault.errorType, message);
        if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', fault.retryAfterSeconds);
        if (fault.retryAfterMs !== undefined) response.setHeader('retry-after-ms', fault.retryAfterMs);
        send(response, fault.status, body, headers);
        return;
      }
      case 'quoting': {
        refuse(dialect, `cannot use\n    at ${request.body} (${request.headers.authorization})`, response);
        return;
      }
      case 'hang': {
        return;
      }
      case 'reset': {
        local.reset(response);
        return;
      }
      case 'cut-off': {
        local.cutOff(response, '{"output":');
        return;
      }
      case 'slow-drip': {
        local.drip(response);
        return;
      }
      case 'empty': {
        send(response, 200, '');
        return;
      }
      case 'oversized': {
        send(response, 200, JSON.stringify({ padding: 'x'.repeat(oversizedBytes) }));
        return;
      }
      case 'truncated': {
        const text = good();
        reply(dialect, question, text.slice(0, Math.ceil(text.length / 2)), response, true);
        return;
      }
      case 'wrong-shape': {
        reply(dialect, question, '{"verdict":"none of the fields that were asked for"}', response);
        return;
      }
      case 'fenced': {
        reply(
          dialect,
          question,
          `Here it is:\n\n\`\`\`json\n${good()}\n\`\`\`\n\nI hope it {helps}.`,
          response,
        );
        return;
      }
      case 'no-json': {
        reply(dialect, question, 'I would rather talk about it.', response);
      }
    }
  }

  function handle(incoming: IncomingMessage, body: string, response: ServerResponse): void {
    const path = incoming.url ?? '';
    const dialect: LlmDialect = path.startsWith('/model/') ? 'converse' : 'chat';
    const question = incoming.method === 'POST' ? formats[dialect].read(path, body) : undefined;
    if (question === undefined) {
      refuse(dialect, 'This is no request that the local server knows', response);
      return;
    }
    const { model, system, messages } = question;
    const request = { dialect, model, system, messages, body, headers: incoming.headers };
    const fault = record(request);
    if (fault) {
      fail(fault, request, question, response);
    } else if (question.refusal !== undefined) {
      refuse(dialect, question.refusal, response);
    } else {
      local.later(latencyMs, () =>
        reply(dialect, question, answerOf(request, question.jsonSchema), response),
      );
    }
  }

  const local = await openLocalServer({ port: options.port, handle });
  const { url } = local;

  return {
    url,
    chatUrl: `${url}/v1`,
    requests,
    answered: () => ({ ...told }),
    failNext(dialect, fault, calls = 1) {
      for (let call = 0; call < calls; call += 1) nextFaults[dialect].push(fault);
    },
    failAlways(dialect, fault) {
      lastingFaults[dialect] = fault;
    },
    recover() {
      for (const dialect of ['converse', 'chat'] as const) {
        nextFaults[dialect].length = 0;
        delete lastingFaults[dialect];
      }
    },
    setLatency(milliseconds) {
      latencyMs = milliseconds;
    },
    hold: () => local.hold(),
    arrived: (count) => arrivals.reached(count),
    mostAtOnce: () => local.mostAtOnce(),
    abandoned: (count) => local.abandoned(count),
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  };
}

function tokensIn(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

function refuse(dialect: LlmDialect, message: string, response: ServerResponse): void {
  const { headers, body } = formats[dialect].errorOf(400, undefined, message);
  send(response, 400, body, headers);
}
