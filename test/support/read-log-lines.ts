import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every line that processes have written into the log files of a folder, each after its file's name. */
export function readLogLines(directory: string): string[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.log'));
  return files.flatMap((file) =>
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `${file}: ${line}`),
  );
}
