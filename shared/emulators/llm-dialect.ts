import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { Message, TokenUsage } from '../text-generation/text-generator.ts';

/** Bedrock's Converse API, or the chat completions that OpenAI and Together speak. */
export type LlmDialect = 'converse' | 'chat';

/** What the server was asked. */
export interface RecordedLlmRequest {
  dialect: LlmDialect;
  model: string;
  system: string;
  messages: readonly Message[];
  /** The body as it arrived. */
  body: string;
  headers: IncomingHttpHeaders;
}

/** A request as its dialect reads it. */
export interface LlmQuestion {
  model: string;
  system: string;
  messages: readonly Message[];
  /** What the answer is to fit: in the dialect's own place, or as a line of the system text. */
  jsonSchema: unknown;
  /** The tool that the answer must be given to. */
  toolName: string | undefined;
  /** What the vendor would refuse this request for. */
  refusal: string | undefined;
}

export interface LlmReply {
  text: string;
  isCutShort: boolean;
  usage: TokenUsage;
}

/** One vendor's wire format. */
export interface LlmWireFormat {
  /** The question, if the path and the body are ones of this dialect. */
  read(path: string, body: string): LlmQuestion | undefined;
  replyBody(question: LlmQuestion, reply: LlmReply): string;
  errorOf(
    status: number,
    errorType: string | undefined,
    message: string,
  ): { headers: Record<string, string>; body: string };
}

/** The last line of a text that is a JSON object: there a model without a schema mode is told what to answer. */
export function schemaInText(text: string): unknown {
  for (const line of text.split('\n').toReversed()) {
    const parsed = line.startsWith('{') ? parseJson(line) : undefined;
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

/** The value, or `undefined` for a text that is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a schema holds one of these keywords somewhere. The names of properties are none. */
export function usesKeyword(schema: unknown, keywords: ReadonlySet<string>): boolean {
  if (Array.isArray(schema)) return schema.some((part) => usesKeyword(part, keywords));
  if (typeof schema !== 'object' || schema === null) return false;
  return Object.entries(schema).some(([key, value]: [string, unknown]) => {
    const isNamed = key === 'properties' || key === '$defs';
    if (!isNamed) return keywords.has(key) || usesKeyword(value, keywords);
    return usesKeyword(Object.values(z.record(z.string(), z.unknown()).parse(value)), keywords);
  });
}
