import { createHash } from 'node:crypto';
import { z } from 'zod';

/** The part of JSON Schema that answers are described in. */
const nodeSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  $ref: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
});

const deepest = 12;

/**
 * A value that fits a JSON Schema, invented from the seed: the same each time for the same seed. Limits are kept,
 * also those that stand in a description as `(constraints: {…})`; formats and patterns are not.
 */
export function inventJson(schema: unknown, seed: string): unknown {
  return invent(schema, schema, seed, 'answer', 0);
}

function invent(schema: unknown, root: unknown, seed: string, name: string, depth: number): unknown {
  const parsed = nodeSchema.safeParse(schema);
  if (!parsed.success || depth > deepest) return null;
  const node = { ...parsed.data, ...describedLimits(parsed.data.description) };
  const inside = (part: unknown, partName: string) =>
    invent(part, root, `${seed}/${partName}`, partName, depth + 1);

  if (node.$ref !== undefined) return inside(resolve(root, node.$ref), name);
  if ('const' in node) return node['const'];
  if (node.enum !== undefined) return node.enum[draw(seed, node.enum.length)];
  const choices = node.anyOf ?? node.oneOf;
  if (choices !== undefined) return inside(choices[0], name);

  switch (Array.isArray(node.type) ? node.type[0] : node.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(node.properties ?? {}).map(([property, part]) => [property, inside(part, property)]),
      );
    case 'array': {
      const fewest = node.minItems ?? 1;
      const length = fewest + draw(seed, (node.maxItems ?? fewest) - fewest + 1);
      return Array.from({ length }, (_, index) => inside(node.items, `${name} ${index + 1}`));
    }
    case 'integer':
    case 'number': {
      const lowest = Math.ceil(node.minimum ?? 0);
      return lowest + draw(seed, Math.floor(node.maximum ?? lowest + 100) - lowest + 1);
    }
    case 'boolean':
      return draw(seed, 2) === 1;
    case 'string': {
      const text = `Invented ${name} no. ${draw(seed, 1_000)}: the local server holds no model.`;
      return text.padEnd(node.minLength ?? 0, '.').slice(0, node.maxLength);
    }
    case undefined:
    default:
      return null;
  }
}

/** A whole number from 0 up to, but without, the limit. */
function draw(seed: string, below: number): number {
  return createHash('sha256').update(seed).digest().readUInt32BE() % Math.max(1, below);
}

function resolve(root: unknown, reference: string): unknown {
  let found = root;
  for (const key of reference.replace(/^#\/?/, '').split('/')) {
    if (key === '') continue;
    found = z.record(z.string(), z.unknown()).safeParse(found).data?.[key];
  }
  return found;
}

function describedLimits(description = ''): Partial<z.infer<typeof nodeSchema>> {
  const text = /\(constraints: (\{.*\})\)$/.exec(description)?.[1];
  if (text === undefined) return {};
  try {
    return nodeSchema.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}
