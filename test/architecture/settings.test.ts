import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { allSettings } from '../../shared/config/all-settings.ts';
import { root } from '../support/source-files.ts';

test('allSettings holds every group, so that `presage doctor` checks every variable', async () => {
  const known = new Set<unknown>(Object.values(allSettings));
  const directory = join(root, 'shared/config');
  const left: string[] = [];
  for (const file of readdirSync(directory).filter((name) => name.endsWith('-settings.ts'))) {
    const exported = (await import(join(directory, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      const isGroup =
        typeof value === 'object' && value !== null && 'variables' in value && 'schema' in value;
      if (isGroup && !known.has(value)) left.push(`${file}: ${name}`);
    }
  }
  expect(left).toEqual([]);
  expect(known.size).toBeGreaterThan(5);
});
