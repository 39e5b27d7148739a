import { z } from 'zod';
import { inventJson } from '../../../../shared/emulators/invent-json.ts';
import { portableSchema } from '../../../../shared/text-generation/portable-schema.ts';

const schema = z.object({
  risk_score: z.number().min(20).max(30),
  day: z.int().min(1).max(7),
  any: z.int(),
  explanation: z.string().min(200).max(210),
  recommendations: z.array(z.string().min(1)).min(2).max(3),
  kind: z.enum(['a', 'b']),
  nested: z.object({ sure: z.boolean(), version: z.literal(2) }).nullable(),
});

test('fits the schema, for any seed, and also where the limits stand in descriptions', () => {
  const jsonSchema = z.toJSONSchema(schema);
  for (let seed = 0; seed < 200; seed += 1) {
    expect(schema.safeParse(inventJson(jsonSchema, `seed ${seed}`)).error).toBeUndefined();
    const portable = inventJson(portableSchema(jsonSchema), `seed ${seed}`);
    expect(schema.safeParse(portable).error).toBeUndefined();
  }
});

test('is the same for the same seed, and another for another', () => {
  const jsonSchema = z.toJSONSchema(schema);
  expect(inventJson(jsonSchema, 'one')).toEqual(inventJson(jsonSchema, 'one'));
  expect(inventJson(jsonSchema, 'one')).not.toEqual(inventJson(jsonSchema, 'two'));
});

test('an endless schema comes to an end', () => {
  const endless = { $defs: { n: { anyOf: [{ $ref: '#/$defs/n' }] } }, $ref: '#/$defs/n' };
  expect(inventJson(endless, 'seed')).toBeNull();
});
