import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { allQueues } from '../../shared/contracts/all-queues.ts';
import { payloadVersionOf } from '../../shared/contracts/define-queue.ts';
import { identityKey } from '../../shared/queue/enqueue.ts';
import { readPayload } from '../../shared/queue/read-payload.ts';
import { describedContracts } from '../support/described-contracts.ts';
import { schemaChanges } from '../support/schema-changes.ts';
import { root } from '../support/source-files.ts';

// Two versions of the fleet run side by side during an upgrade, and payloads stay in the ledger for months. What is in
// test/fixtures/payloads was written by a released version: it is added to, and never edited.

const fixtures = join(root, 'test/fixtures/payloads');

const payloadsSchema = z
  .array(z.object({ of: z.string(), payload: z.unknown(), unique_key: z.string().nullable() }))
  .min(1);

function readFixture(...path: string[]): unknown {
  return JSON.parse(readFileSync(join(fixtures, ...path), 'utf8'));
}

const queues = allQueues.map((contract) => ({ contract, present: payloadVersionOf(contract) }));
const versions = queues.flatMap(({ contract, present }) =>
  Array.from({ length: present }, (_, index) => ({ name: contract.name, version: index + 1, contract })),
);

test.each(versions)('$name: payloads of version $version are there, and are understood', (entry) => {
  const { name, version, contract } = entry;
  for (const { of, payload, unique_key: uniqueKey } of payloadsSchema.parse(
    readFixture(name, `v${version}.json`),
  )) {
    const read = readPayload(contract, { payload, version });
    // The same work, so that it is not accepted twice while both versions accept.
    expect({ of, key: identityKey(contract, read, payload) ?? null }).toEqual({ of, key: uniqueKey });
  }
});

test.each(queues)('$contract.name: the same request is stored the same way', ({ contract, present }) => {
  // An Idempotency-Key is compared by what is stored: another order of fields, or a new default, is another body.
  for (const { payload } of payloadsSchema.parse(readFixture(contract.name, `v${present}.json`))) {
    const read = readPayload(contract, { payload, version: present });
    expect(JSON.stringify(read)).toBe(JSON.stringify(payload));
  }
});

const described = Object.entries(describedContracts());

test.each(described)(
  '%s: nothing has changed without a new version that misleads others',
  (name, schemas) => {
    const present = queues.find(({ contract }) => contract.name === name)?.present ?? 1;
    const file = `v${present}.schema.json`;
    expect(
      existsSync(join(fixtures, name, file)) ? '' : `${name}/${file} is missing: see Changing a payload`,
    ).toBe('');
    expect(schemaChanges(readFixture(name, file), schemas)).toEqual([]);
  },
);

test('every schema says something, and every folder belongs to something', () => {
  for (const [name, schemas] of described) {
    for (const [of, schema] of Object.entries(schemas)) {
      expect({ name, of, says: Object.keys(schema as object).length > 0 }).toEqual({ name, of, says: true });
    }
  }
  expect(readdirSync(fixtures).sort()).toEqual(described.map(([name]) => name).sort());
});

describe('what misleads', () => {
  const before = z.object({ id: z.string(), kind: z.enum(['a', 'b']), note: z.string().optional() });
  const changesTo = (after: z.ZodType, from: z.ZodType = before) =>
    schemaChanges(z.toJSONSchema(from, { io: 'input' }), z.toJSONSchema(after, { io: 'input' }));

  test('another optional field does not', () => {
    expect(changesTo(before.extend({ more: z.array(z.string()).optional() }))).toEqual([]);
    expect(
      changesTo(z.object({ in: before.extend({ more: z.int().optional() }) }), z.object({ in: before })),
    ).toEqual([]);
  });

  test.each([
    ['a field that is needed', before.extend({ more: z.string() }), ['/required']],
    ['a field that is gone', before.omit({ note: true }), ['/properties/note']],
    ['a field that is needed no more', before.partial({ id: true }), ['/required']],
    ['another value', before.extend({ kind: z.enum(['a', 'b', 'c']) }), ['/properties/kind/enum/2']],
    ['another type', before.extend({ id: z.int() }), expect.arrayContaining(['/properties/id/type'])],
    ['another limit', before.extend({ id: z.string().max(9) }), ['/properties/id/maxLength']],
    ['another form', z.union([before, z.object({})]), expect.arrayContaining(['/anyOf'])],
  ])('%s does', (_of, after, changes) => {
    expect(changesTo(after)).toEqual(changes);
  });

  test('a field does that is unknown to who refuses unknown ones', () => {
    const strict = z.strictObject({ id: z.string() });
    expect(changesTo(strict.extend({ more: z.string().optional() }), strict)).toEqual(['/properties/more']);
  });
});
