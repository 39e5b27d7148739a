import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { awsCredentials } from '../aws/aws-credentials.ts';
import { bedrockAnswer } from './bedrock-answer.ts';
import { bedrockFailure } from './bedrock-failure.ts';
import { bedrockModel } from './bedrock-model.ts';
import { boundedCall } from '../outside-call/bounded-call.ts';
import { collectBytes } from '../outside-call/collect-bytes.ts';
import { endedCall, generationFailure } from './generation-failure.ts';
import { maxAnswerBytes } from './max-answer-bytes.ts';
import { portableSchema } from './portable-schema.ts';
import { schemaInWords } from './schema-in-words.ts';
import type { GenerationCall, TextGenerator } from './text-generator.ts';

const connectionTimeoutMs = 3_000;

export interface BedrockOptions {
  region: string;
  /** An address instead of AWS's own. */
  endpointUrl: string | undefined;
  /** A model id, an inference profile's id or an ARN. */
  model: string;
  /** How many calls are made at once, at most. */
  parallelism?: number;
  /** False where looking at the environment, files and the container's role has to be enough. */
  mayAskInstanceMetadata?: boolean;
}

/** Bedrock's Converse API behind the vendor port. Connects with the first call. */
export function openBedrock(options: BedrockOptions): TextGenerator {
  const { region, endpointUrl, model, parallelism = 256, mayAskInstanceMetadata = true } = options;
  const agent = { keepAlive: true, maxSockets: parallelism };
  const client = new BedrockRuntimeClient({
    region,
    credentials: awsCredentials({ region, endpointUrl, mayAskInstanceMetadata }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // The room above and the queue decide what a failure leads to.
    maxAttempts: 1,
    // The SDK would speak HTTP/2 here, which a server without TLS does not answer: test/contract/bedrock.test.ts,
    // 'speaks HTTP/1.1 to Bedrock'.
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: connectionTimeoutMs,
    }),
    streamCollector: (stream: AsyncIterable<Uint8Array>) => collectBytes(stream, maxAnswerBytes),
  });

  return {
    provider: 'bedrock',
    model,
    async generate(call, signal) {
      const command = new ConverseCommand(converseInput(model, call));
      const response = await boundedCall(
        {
          timeoutMs: call.timeoutMs,
          signal,
          failureOf: (error, ending) => endedCall(error, ending, bedrockFailure),
        },
        (abortSignal) => client.send(command, { abortSignal }),
      );
      const answer = bedrockAnswer(response, call);
      if (answer === undefined)
        throw generationFailure('LLM_ANSWER_BROKEN', { cause: undefined, status: 200 });
      return answer;
    },
    [Symbol.dispose]() {
      client.destroy();
    },
  };
}

function converseInput(modelId: string, call: GenerationCall): ConverseCommandInput {
  const { answerForm, takesSystem, takesTemperature } = bedrockModel(modelId);
  const { name, jsonSchema } = call.answer;
  const system = answerForm === 'words' ? schemaInWords(call.system, jsonSchema) : call.system;
  const texts = call.messages.map(({ role, text }, index) => ({
    role,
    text: index === 0 && !takesSystem ? `${system}\n\n${text}` : text,
  }));
  return {
    modelId,
    ...(takesSystem ? { system: [{ text: system }] } : {}),
    messages: texts.map(({ role, text }) => ({
      role,
      // A blank text is refused, and an empty answer may be among the messages when the model is asked again:
      // test/contract/bedrock.test.ts, 'asks again after an empty answer'.
      content: [{ text: text.trim() === '' ? '(empty)' : text }],
    })),
    inferenceConfig: {
      maxTokens: call.maxOutputTokens,
      ...(takesTemperature ? { temperature: call.temperature } : {}),
    },
    ...(answerForm === 'json-schema' ? nativeSchema(name, jsonSchema) : {}),
    ...(answerForm === 'tool' ? forcedTool(name, jsonSchema) : {}),
  };
}

function nativeSchema(name: string, jsonSchema: unknown): Pick<ConverseCommandInput, 'outputConfig'> {
  const schema = JSON.stringify(portableSchema(jsonSchema));
  return {
    outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name, schema } } } },
  };
}

/** One tool that must be used: what it is given is the answer. */
function forcedTool(name: string, jsonSchema: unknown): Pick<ConverseCommandInput, 'toolConfig'> {
  // Nova takes nothing else at the top of a tool's schema: test/contract/bedrock.test.ts, 'forces %s to use a tool'.
  const { type = 'object', properties = {}, required = [], $defs } = portableSchema(jsonSchema);
  const json = { type, properties, required, ...($defs === undefined ? {} : { $defs }) };
  const toolSpec = { name, description: 'Takes the answer.', inputSchema: { json } };
  // With one tool, "any" is that one. Mistral's models know only this way to force it.
  return { toolConfig: { tools: [{ toolSpec }], toolChoice: { any: {} } } };
}
