import { portableSchema } from './portable-schema.ts';

/**
 * The system text with the schema of the answer in it: for models that cannot be told it in another way. Short, because
 * it is paid for with every call; that no other fields are asked for goes without saying, and they would be dropped.
 */
export function schemaInWords(system: string, jsonSchema: unknown): string {
  const schema = JSON.stringify(portableSchema(jsonSchema), (key, value: unknown) =>
    key === 'additionalProperties' && value === false ? undefined : value,
  );
  return `${system}\n\nAnswer only with a JSON object that fits this JSON Schema:\n${schema}`;
}
