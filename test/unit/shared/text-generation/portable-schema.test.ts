import fc from 'fast-check';
import { z } from 'zod';
import { isStrict, portableSchema } from '../../../../shared/text-generation/portable-schema.ts';

const portable = (schema: z.ZodType) => portableSchema(z.toJSONSchema(schema));

describe('portableSchema', () => {
  it('tells limits in the description, after what stood there', () => {
    expect(portable(z.object({ score: z.number().min(0).max(100).describe('Risk') }))).toEqual({
      type: 'object',
      properties: {
        score: { type: 'number', description: 'Risk (constraints: {"minimum":0,"maximum":100})' },
      },
      required: ['score'],
      additionalProperties: false,
    });
  });

  it('does not tell the bounds that every integer has', () => {
    expect(portable(z.object({ n: z.int() }))['properties']).toEqual({ n: { type: 'integer' } });
  });

  it('keeps properties that are named like keywords', () => {
    const schema = portable(z.object({ minimum: z.string().min(1), default: z.null(), title: z.boolean() }));
    expect(Object.keys(schema['properties'] ?? {})).toEqual(['minimum', 'default', 'title']);
  });

  it('goes into lists, unions and references', () => {
    const node = z.object({
      kind: z.literal('node'),
      parts: z.array(z.union([z.string().max(3), z.object({ at: z.number().min(1) })])),
      get next() {
        return z.nullable(node);
      },
    });
    const text = JSON.stringify(portable(node));
    expect(text).not.toMatch(/"(maxLength|minimum|oneOf|\$schema)":/);
    expect(text).toContain('"anyOf"');
  });

  it('closes an object that says nothing of further properties, and leaves a record open', () => {
    expect(portableSchema({ type: 'object', properties: {} })['additionalProperties']).toBe(false);
    expect(portable(z.record(z.string(), z.number()))['additionalProperties']).toBeDefined();
  });

  it('leaves no keyword but those that every vendor takes', () => {
    const keywords = ['minimum', 'maxItems', 'pattern', 'format', 'minLength', 'uniqueItems', 'not'];
    const limits = fc.dictionary(fc.constantFrom(...keywords), fc.integer());
    const { node } = fc.letrec<{ node: object }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        limits.map((limit) => ({ type: 'string', ...limit })),
        fc.tuple(limits, tie('node')).map(([limit, items]) => ({ type: 'array', items, ...limit })),
        fc
          .tuple(limits, fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node')))
          .map(([limit, properties]) => ({
            type: 'object',
            properties,
            required: Object.keys(properties),
            ...limit,
          })),
        fc.array(tie('node'), { minLength: 1 }).map((oneOf) => ({ oneOf })),
      ),
    }));
    fc.assert(
      fc.property(node, (schema) => {
        const result = portableSchema(schema);
        expect(isStrict(result)).toBe(true);
        expect(portableSchema(result)).toEqual(result);
        const beside = JSON.stringify(result).replaceAll(/\(constraints: [^)]*\)/g, '');
        expect(beside).not.toMatch(new RegExp(`"(${keywords.join('|')}|oneOf)":`));
      }),
    );
  });
});

describe('isStrict', () => {
  it.each([
    [z.object({ a: z.string(), b: z.array(z.object({ c: z.number() })) }), true],
    [z.object({ a: z.string().optional() }), false],
    [z.object({ a: z.array(z.object({ b: z.string().optional() })) }), false],
    [z.object({ a: z.union([z.string(), z.looseObject({})]) }), false],
    [z.record(z.string(), z.string()), false],
  ])('judges schema %#', (schema, expected) => {
    expect(isStrict(portable(schema))).toBe(expected);
  });
});
