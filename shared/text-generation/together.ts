import { Together } from 'together-ai';
import { boundedFetch } from './bounded-fetch.ts';
import { chatCall } from './chat-call.ts';
import { portableSchema } from './portable-schema.ts';
import { schemaInWords } from './schema-in-words.ts';
import type { GenerationCall, TextGenerator } from './text-generator.ts';

const togetherUrl = 'https://api.together.ai/v1';

export interface TogetherOptions {
  /** `undefined`: for a server of one's own that asks for none. */
  apiKey: string | undefined;
  /** The address of another server that speaks as Together does. */
  baseUrl: string | undefined;
  model: string;
}

/** Together's chat completions behind the vendor port. */
export function openTogether({ apiKey, baseUrl, model }: TogetherOptions): TextGenerator {
  const client = new Together({
    // The SDK wants one.
    apiKey: apiKey ?? 'no-key',
    baseURL: baseUrl ?? togetherUrl,
    maxRetries: 0,
    fetch: boundedFetch,
    // At `debug`, which the environment could ask for, it prints requests and answers.
    logLevel: 'off',
  });

  return {
    provider: 'together',
    model,
    async generate(call, signal) {
      const body = completionParameters(model, call);
      return await chatCall({ call, signal, errors: Together }, (options) =>
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
): Together.Chat.CompletionCreateParamsNonStreaming {
  const { name, jsonSchema } = call.answer;
  return {
    model,
    messages: [
      // The schema only limits which tokens may come next; the model itself does not see it.
      { role: 'system', content: schemaInWords(call.system, jsonSchema) },
      ...call.messages.map(({ role, text }) => ({ role, content: text })),
    ],
    max_tokens: call.maxOutputTokens,
    temperature: call.temperature,
    response_format: { type: 'json_schema', json_schema: { name, schema: portableSchema(jsonSchema) } },
  };
}
