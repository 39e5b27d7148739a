import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { readPayload } from '../../../../producers/cli/read-payload.ts';
import { CommandFailed } from '../../../../producers/cli/usage-error.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'presage-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function fromFile(name: string, content: string, queue = 'lead-scoring'): Promise<unknown> {
  writeFileSync(join(directory, name), content);
  const source = { file: name, standardInput: false };
  return readPayload(queue, source, { input: Readable.from(['']), workingDirectory: directory });
}

function fromInput(content: string): Promise<unknown> {
  const context = { input: Readable.from([content]), workingDirectory: directory };
  return readPayload('lead-scoring', { standardInput: true }, context);
}

const payload = { lead_ids: ['a', 'b'] };

test.each([
  ['leads.csv', 'lead_id,age\na,1\nb,2\n'],
  ['leads.CSV', 'a\nb\n'],
  ['leads.txt', 'a\nb\n'],
  ['leads', 'lead_id\na\nb'],
  ['leads.json', '["a","b"]'],
  ['leads.json', ' {"lead_ids": ["a","b"]}'],
])('leads from %s', async (name, content) => {
  expect(await fromFile(name, content)).toEqual(payload);
  expect(await fromInput(content)).toEqual(payload);
});

test('leads as JSON in the command', async () => {
  const context = { input: Readable.from(['']), workingDirectory: directory };
  for (const json of ['["a","b"]', '{"lead_ids":["a","b"]}']) {
    expect(await readPayload('lead-scoring', { json, standardInput: false }, context)).toEqual(payload);
  }
});

test('a list of ids is the payload of no other queue', async () => {
  expect(await fromFile('list.json', '["a"]', 'churn-insight')).toEqual(['a']);
  await expect(fromFile('ids.txt', 'a\nb', 'churn-insight')).rejects.toThrow(CommandFailed);
});

test('what begins as JSON and is none is a failure, and a CSV without ids', async () => {
  await expect(fromFile('leads.json', '["a"')).rejects.toThrow('leads.json is not JSON.');
  await expect(fromFile('leads.csv', 'id,age\na,1')).rejects.toThrow('leads.csv has no column lead_id.');
});
