import { z } from 'zod';
import { parseJson, schemaInText, usesKeyword, type LlmWireFormat } from './llm-dialect.ts';

const requestSchema = z.object({
  model: z.string(),
  messages: z
    .array(z.object({ role: z.enum(['system', 'developer', 'user', 'assistant']), content: z.string() }))
    .min(1),
  temperature: z.number().optional(),
  max_tokens: z.number().optional(),
  max_completion_tokens: z.number().optional(),
  response_format: z
    .object({
      type: z.literal('json_schema'),
      json_schema: z.object({ name: z.string(), schema: z.unknown(), strict: z.boolean().nullish() }),
    })
    .optional(),
});

/** What OpenAI's strict mode has refused at one time or another. */
const refusedKeywords: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'allOf',
  'oneOf',
  'default',
]);

const errorCodes: Readonly<Record<number, [type: string, code: string | null]>> = {
  401: ['invalid_request_error', 'invalid_api_key'],
  404: ['invalid_request_error', 'model_not_found'],
  429: ['requests', 'rate_limit_exceeded'],
};

/** `POST /v1/chat/completions`. */
export const chatFormat: LlmWireFormat = {
  read(path, body) {
    const request = requestSchema.safeParse(parseJson(body)).data;
    if (path !== '/v1/chat/completions' || request === undefined) return undefined;
    const system = request.messages
      .filter(({ role }) => role === 'system' || role === 'developer')
      .map(({ content }) => content)
      .join('\n');
    return {
      model: request.model,
      system,
      messages: request.messages.flatMap(({ role, content }) =>
        role === 'user' || role === 'assistant' ? [{ role, text: content }] : [],
      ),
      jsonSchema: request.response_format?.json_schema.schema ?? schemaInText(system),
      toolName: undefined,
      refusal: refusalOf(request),
    };
  },

  replyBody({ model }, { text, isCutShort, usage }) {
    const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
    // Here, unlike at Bedrock, the prompt's tokens include those of the cache.
    const promptTokens = inputTokens + cacheReadTokens + cacheWriteTokens;
    return JSON.stringify({
      id: 'chatcmpl-local',
      object: 'chat.completion',
      created: 1_767_225_600,
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: text, refusal: null },
          logprobs: null,
          finish_reason: isCutShort ? 'length' : 'stop',
        },
      ],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: outputTokens,
        total_tokens: promptTokens + outputTokens,
        prompt_tokens_details: { cached_tokens: cacheReadTokens, cache_write_tokens: cacheWriteTokens },
      },
    });
  },

  errorOf(status, errorType, message) {
    const [type, code] = errorCodes[status] ?? [
      status < 500 ? 'invalid_request_error' : 'server_error',
      null,
    ];
    const error = { message, type: errorType ?? type, param: null, code: errorType ?? code };
    return { headers: {}, body: JSON.stringify({ error }) };
  },
};

/** What OpenAI is known to answer 400 to. */
function refusalOf(request: z.infer<typeof requestSchema>): string | undefined {
  const isReasoning = /^(o\d|gpt-5(?!.*chat))/.test(request.model);
  if (isReasoning && request.temperature !== undefined) return "Unsupported parameter: 'temperature'";
  if (/^(o\d|gpt-5)/.test(request.model) && request.max_tokens !== undefined) {
    return "Unsupported parameter: 'max_tokens'";
  }
  const format = request.response_format?.json_schema;
  if (/^gpt-(3\.5|4$|4-)/.test(request.model) && format !== undefined) {
    return "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
  }
  if (format?.strict === true && (usesKeyword(format.schema, refusedKeywords) || !isClosed(format.schema))) {
    return `Invalid schema for response_format '${format.name}'`;
  }
  return undefined;
}

const objectSchema = z.object({
  type: z.literal('object'),
  properties: z.record(z.string(), z.unknown()),
  required: z.array(z.string()),
  additionalProperties: z.literal(false),
});

function isClosed(schema: unknown): boolean {
  const root = objectSchema.safeParse(schema).data;
  return (
    root !== undefined && Object.keys(root.properties).every((property) => root.required.includes(property))
  );
}
