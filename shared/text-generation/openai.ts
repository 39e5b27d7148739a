import { OpenAI } from 'openai';
import { boundedFetch } from './bounded-fetch.ts';
import { chatCall } from './chat-call.ts';
import { openaiModel } from './openai-model.ts';
import { isStrict, portableSchema } from './portable-schema.ts';
import { schemaInWords } from './schema-in-words.ts';
import type { GenerationCall, TextGenerator } from './text-generator.ts';

const openaiUrl = 'https://api.openai.com/v1';

export interface OpenaiOptions {
  /** `undefined`: for a server of one's own that asks for none. */
  apiKey: string | undefined;
  /** The address of another server that speaks as OpenAI does. */
  baseUrl: string | undefined;
  model: string;
}

/** OpenAI's chat completions, and what speaks as they do, behind the vendor port. */
export function openOpenai({ apiKey, baseUrl, model }: OpenaiOptions): TextGenerator {
  const client = new OpenAI({
    // The SDK wants one.
    apiKey: apiKey ?? 'no-key',
    baseURL: baseUrl ?? openaiUrl,
    maxRetries: 0,
    fetch: boundedFetch,
    // At `debug`, which the environment could ask for, it prints requests and answers.
    logLevel: 'off',
  });

  return {
    provider: 'openai',
    model,
    async generate(call, signal) {
      const body = completionParameters(model, call);
      return await chatCall({ call, signal, errors: OpenAI }, (options) =>
        client.chat.completions.create(body, options),
      );
    },
    // `fetch` has the connections, and closes them when they are idle.
    [Symbol.dispose]() {},
  };
}

function completionParameters(
  model: string,
  call: GenerationCall,
): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const { answerForm, isReasoning, limit } = openaiModel(model);
  const isNative = answerForm === 'json-schema';
  const { name, jsonSchema } = call.answer;
  return {
    model,
    messages: [
      { role: 'system', content: isNative ? call.system : schemaInWords(call.system, jsonSchema) },
      ...call.messages.map(({ role, text }) => ({ role, content: text })),
    ],
    [limit]: call.maxOutputTokens,
    // A model that thinks first spends the same tokens on that: it is asked to think little.
    ...(isReasoning ? { reasoning_effort: 'low' } : { temperature: call.temperature }),
    ...(isNative ? { response_format: responseFormat(name, jsonSchema) } : {}),
  };
}

function responseFormat(name: string, jsonSchema: unknown): OpenAI.ResponseFormatJSONSchema {
  const schema = portableSchema(jsonSchema);
  // Strict mode refuses a schema with properties that may be absent. The other mode takes any.
  return { type: 'json_schema', json_schema: { name, schema, strict: isStrict(schema) } };
}
