import { z } from 'zod';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { alertBodySchema } from '../../shared/contracts/churn-insight.ts';
import { leadBatchSchema, leadBulkSchema, leadChunkSchema } from '../../shared/contracts/lead-scoring.ts';
import { jobFailureSchema } from '../../shared/ledger/job-record.ts';
import { jobEnvelopeSchema } from '../../shared/queue/job-envelope.ts';
import { sweptUsersSchema } from '../../workers/pattern-detection/sum-sweep.ts';

/** Of payloads that choose their schema while they are parsed: what they choose from. */
const choices: Readonly<Record<string, z.ZodType>> = {
  'churn-insight': alertBodySchema,
  'lead-scoring': z.union([leadBatchSchema, leadChunkSchema, leadBulkSchema]),
};

/** What processes of two versions read of each other, as JSON schemas: of each queue, and of the fleet as a whole. */
export function describedContracts(): Record<string, Record<string, unknown>> {
  const ofQueues = allQueues.map(({ name, payload, result }) => [
    name,
    { payload: describe(choices[name] ?? payload), result: describe(result) },
  ]);
  const ofFleet = {
    envelope: describe(jobEnvelopeSchema),
    failure: describe(jobFailureSchema),
    'interim of pattern-detection': describe(sweptUsersSchema),
  };
  return { ...(Object.fromEntries(ofQueues) as Record<string, Record<string, unknown>>), fleet: ofFleet };
}

function describe(schema: z.ZodType): unknown {
  return withoutWords(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

/** A JSON schema without what only people read, and without the pattern that a library has for a named format. */
function withoutWords(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutWords);
  if (typeof part !== 'object' || part === null) return part;
  const words = new Set(['$schema', 'description', 'examples', ...('format' in part ? ['pattern'] : [])]);
  return Object.fromEntries(
    Object.entries(part)
      .filter(([name]) => !words.has(name))
      .map(([name, value]) => [
        name,
        name === 'properties' ? withoutWordsInEach(value) : withoutWords(value),
      ]),
  );
}

/** Here the names are those of fields, which may be called like a word of the schema. */
function withoutWordsInEach(properties: unknown): unknown {
  return Object.fromEntries(
    Object.entries(properties as object).map(([field, schema]) => [field, withoutWords(schema)]),
  );
}
