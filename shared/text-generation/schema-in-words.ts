import { portableSchema } from './portable-schema.ts';

/** The system text with the schema of the answer in it: for models that cannot be told it in another way. */
export function schemaInWords(system: string, jsonSchema: unknown): string {
  const instruction =
    'Answer with one JSON object and nothing else: no text before or after it, no code fence. ' +
    'It must fit this JSON Schema:';
  return `${system}\n\n${instruction}\n${JSON.stringify(portableSchema(jsonSchema))}`;
}
