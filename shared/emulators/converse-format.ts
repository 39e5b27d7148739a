import { z } from 'zod';
import { parseJson, schemaInText, usesKeyword, type LlmWireFormat } from './llm-dialect.ts';

const requestSchema = z.object({
  system: z.array(z.object({ text: z.string() })).default([]),
  messages: z
    .array(
      z.object({
        role: z.enum(['user', 'assistant']),
        content: z.array(z.object({ text: z.string() })).min(1),
      }),
    )
    .min(1),
  inferenceConfig: z.object({ maxTokens: z.number(), temperature: z.number().optional() }),
  outputConfig: z
    .object({
      textFormat: z.object({
        type: z.literal('json_schema'),
        structure: z.object({ jsonSchema: z.object({ schema: z.string(), name: z.string() }) }),
      }),
    })
    .optional(),
  toolConfig: z
    .object({
      tools: z
        .array(
          z.object({
            toolSpec: z.object({
              name: z.string(),
              inputSchema: z.object({ json: z.record(z.string(), z.unknown()) }),
            }),
          }),
        )
        .min(1),
      toolChoice: z.union([
        z.object({ any: z.object({}) }),
        z.object({ tool: z.object({ name: z.string() }) }),
      ]),
    })
    .optional(),
});

/** Bedrock's schema mode answers 400 to every one of these. */
const refusedKeywords: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
]);

/** What Amazon's Nova takes at the top of a tool's schema. */
const novaKeys: ReadonlySet<string> = new Set(['type', 'properties', 'required']);

const errorTypes: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  424: 'ModelErrorException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
};

/** `POST /model/{modelId}/converse`. */
export const converseFormat: LlmWireFormat = {
  read(path, body) {
    const model = /^\/model\/([^/]+)\/converse$/.exec(path)?.[1];
    const request = requestSchema.safeParse(parseJson(body)).data;
    if (model === undefined || request === undefined) return undefined;
    const system = request.system.map(({ text }) => text).join('\n');
    const tool = request.toolConfig?.tools[0]?.toolSpec;
    const messages = request.messages.map(({ role, content }) => ({
      role,
      text: content.map(({ text }) => text).join('\n'),
    }));
    const nativeSchema = request.outputConfig?.textFormat.structure.jsonSchema.schema;
    const jsonSchema =
      nativeSchema === undefined
        ? (tool?.inputSchema.json ?? schemaInText(system) ?? schemaInText(messages[0]?.text ?? ''))
        : parseJson(nativeSchema);
    return {
      model: decodeURIComponent(model),
      system,
      messages,
      jsonSchema,
      toolName: tool?.name,
      refusal: refusalOf(request, nativeSchema, decodeURIComponent(model)),
    };
  },

  replyBody({ toolName }, { text, isCutShort, usage }) {
    const parsed: unknown = parseJson(text);
    const isToolUse = toolName !== undefined && typeof parsed === 'object' && parsed !== null;
    const content = isToolUse
      ? { toolUse: { toolUseId: 'tooluse_local', name: toolName, input: parsed } }
      : { text };
    const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
    return JSON.stringify({
      output: { message: { role: 'assistant', content: [content] } },
      stopReason: isCutShort ? 'max_tokens' : isToolUse ? 'tool_use' : 'end_turn',
      usage: {
        inputTokens,
        outputTokens,
        totalTokens: inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens,
        cacheReadInputTokens: cacheReadTokens,
        cacheWriteInputTokens: cacheWriteTokens,
      },
      metrics: { latencyMs: 1 },
    });
  },

  errorOf(status, errorType, message) {
    const otherwise = status < 500 ? 'ValidationException' : 'InternalServerException';
    const name = errorType ?? errorTypes[status] ?? otherwise;
    return { headers: { 'x-amzn-errortype': name }, body: JSON.stringify({ message }) };
  },
};

/** What Bedrock is known to answer 400 to. */
function refusalOf(
  request: z.infer<typeof requestSchema>,
  nativeSchema: string | undefined,
  model: string,
): string | undefined {
  const texts = [...request.system, ...request.messages.flatMap(({ content }) => content)];
  if (texts.some(({ text }) => text.trim() === '')) {
    return 'The text field in the ContentBlock object is blank.';
  }
  if (nativeSchema !== undefined && usesKeyword(parseJson(nativeSchema), refusedKeywords)) {
    return 'output_config.format.schema: a property is not supported';
  }
  const toolSchema = request.toolConfig?.tools[0]?.toolSpec.inputSchema.json ?? {};
  if (/amazon\.nova/.test(model) && Object.keys(toolSchema).some((key) => !novaKeys.has(key))) {
    return "The tool's input schema is invalid.";
  }
  if (request.inferenceConfig.temperature !== undefined && /claude-opus-(4-[7-9]|[5-9])/.test(model)) {
    return 'temperature is deprecated for this model.';
  }
  return undefined;
}
