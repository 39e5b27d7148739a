import { z } from 'zod';

export type PortableSchema = Record<string, z.core.util.JSONType>;

const jsonObject = z.record(z.string(), z.json());

/** The keywords that every vendor's schema mode takes. */
const kept: ReadonlySet<string> = new Set([
  'type',
  'enum',
  'const',
  'required',
  'description',
  '$ref',
  'additionalProperties',
]);
/** They say nothing about which values fit. */
const dropped: ReadonlySet<string> = new Set(['$schema', '$id', 'title', 'default', 'examples']);

/**
 * The same schema in the words that every vendor's schema mode takes. Bedrock answers 400 to `minimum`,
 * `maxItems` and their like, and OpenAI to some of them for some models; so all such limits move to the
 * descriptions, where the model reads them. They are checked with the answer, which is checked in full anyway.
 * test/contract: 'without the limits that this mode refuses'.
 *
 * @throws ZodError for what is no JSON
 */
export function portableSchema(schema: unknown): PortableSchema {
  const result: PortableSchema = {};
  const limits: PortableSchema = {};
  for (const [key, value] of Object.entries(jsonObject.parse(schema))) {
    if (key === 'properties' || key === '$defs') {
      const parts = Object.entries(jsonObject.parse(value));
      result[key] = Object.fromEntries(parts.map(([name, part]) => [name, portableSchema(part)]));
    } else if (key === 'anyOf' || key === 'oneOf') {
      result['anyOf'] = z.array(z.json()).parse(value).map(portableSchema);
    } else if (key === 'items') {
      result[key] = portableSchema(value);
    } else if (kept.has(key)) {
      result[key] = value;
    } else if (!dropped.has(key) && !isEveryInteger(value)) {
      limits[key] = value;
    }
  }
  if (result['properties'] !== undefined) result['additionalProperties'] ??= false;
  if (Object.keys(limits).length > 0) {
    const note = `(constraints: ${JSON.stringify(limits)})`;
    const { description } = result;
    result['description'] = typeof description === 'string' ? `${description} ${note}` : note;
  }
  return result;
}

/** The bounds that an integer has in any case. */
function isEveryInteger(value: unknown): boolean {
  return value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER;
}

const objectNode = z.object({
  properties: jsonObject.default({}),
  required: z.array(z.string()).default([]),
  additionalProperties: z.json(),
});

/**
 * Whether OpenAI's strict mode takes the schema: each object names all its properties, and every one of them is
 * required.
 */
export function isStrict(schema: PortableSchema): boolean {
  if (schema['type'] === 'object') {
    const node = objectNode.safeParse(schema).data;
    if (node === undefined || node.additionalProperties !== false) return false;
    if (Object.keys(node.properties).some((property) => !node.required.includes(property))) return false;
  }
  const parts = [schema['properties'], schema['$defs']].flatMap((group) =>
    Object.values(jsonObject.safeParse(group).data ?? {}),
  );
  const choices = z.array(z.json()).safeParse(schema['anyOf']).data ?? [];
  const items = schema['items'] === undefined ? [] : [schema['items']];
  return [...parts, ...choices, ...items].every((part) => isStrict(jsonObject.parse(part)));
}
