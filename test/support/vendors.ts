import { z } from 'zod';
import { JobError } from '../../shared/errors/job-error.ts';
import type { LlmDialect, LlmServer } from '../../shared/emulators/llm-server.ts';
import { openBedrock } from '../../shared/text-generation/bedrock.ts';
import { openOpenai } from '../../shared/text-generation/openai.ts';
import type { GenerationCall, TextGenerator } from '../../shared/text-generation/text-generator.ts';
import { openTogether } from '../../shared/text-generation/together.ts';
import { busyMachineMs } from './until.ts';

/** Stands in no error and no log. */
export const secret = 'sk-a-key-that-nobody-may-see';

export interface Vendor {
  provider: TextGenerator['provider'];
  dialect: LlmDialect;
  /** Opens the vendor's adapter on the local server. */
  open: (server: Pick<LlmServer, 'url' | 'chatUrl'>, model?: string) => TextGenerator;
}

export const vendors: Vendor[] = [
  {
    provider: 'bedrock',
    dialect: 'converse',
    open: ({ url }, model = 'global.anthropic.claude-haiku-4-5-20251001-v1:0') =>
      openBedrock({ region: 'us-east-1', endpointUrl: url, model, mayAskInstanceMetadata: false }),
  },
  {
    provider: 'openai',
    dialect: 'chat',
    open: ({ chatUrl }, model = 'gpt-4.1') => openOpenai({ apiKey: secret, baseUrl: chatUrl, model }),
  },
  {
    provider: 'together',
    dialect: 'chat',
    open: ({ chatUrl }, model = 'meta-llama/Llama-3.3-70B-Instruct-Turbo') =>
      openTogether({ apiKey: secret, baseUrl: chatUrl, model }),
  },
];

/** Gives the AWS SDK credentials that hold the secret, and says how to take them away again. */
export function setAwsCredentials(): () => void {
  const credentials = { AWS_ACCESS_KEY_ID: 'AKIALOCAL', AWS_SECRET_ACCESS_KEY: secret };
  const before = { ...process.env };
  Object.assign(process.env, credentials);
  return () => {
    for (const name of Object.keys(credentials)) {
      const value = before[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
}

export const answerSchema = z.object({
  risk_score: z.number().min(0).max(100),
  explanation: z.string().min(1).max(4_000),
  recommendations: z.array(z.string().min(1)).min(2).max(3),
});

export function callWith(changes: Partial<GenerationCall> = {}): GenerationCall {
  return {
    system: 'You judge churn risk. Lärm & "quotes".',
    messages: [{ role: 'user', text: 'Student stu_4532 called five times.' }],
    answer: { name: 'insight', jsonSchema: z.toJSONSchema(answerSchema) },
    maxOutputTokens: 1_000,
    temperature: 0.7,
    timeoutMs: busyMachineMs,
    ...changes,
  };
}

export async function failureOf(asked: Promise<unknown>): Promise<JobError> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof JobError) return error;
  throw new Error('no JobError was thrown', { cause: error });
}
