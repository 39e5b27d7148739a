import { z } from 'zod';
import { inventInsight } from './invent-insight.ts';
import { inventJson } from './invent-json.ts';
import { inventPage } from './invent-page.ts';
import { inventPatterns } from './invent-patterns.ts';
import type { RecordedLlmRequest } from './llm-dialect.ts';

const schemaSchema = z.object({ properties: z.record(z.string(), z.unknown()) });

/** The answer that a model might give to a question of one of the fleet's workers, known by what it is to hold. */
export function inventAnswer({ messages }: RecordedLlmRequest, jsonSchema: unknown): string {
  const prompt = messages[0]?.text ?? '';
  const asked = schemaSchema.safeParse(jsonSchema).data?.properties ?? {};
  if ('risk_score' in asked) return JSON.stringify(inventInsight(prompt));
  if ('patterns' in asked) return JSON.stringify(inventPatterns(prompt));
  if ('blocks' in asked) return JSON.stringify(inventPage(prompt));
  return JSON.stringify(inventJson(jsonSchema, prompt));
}
