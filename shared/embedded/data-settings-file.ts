import { readFile, rename, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { errorCode } from '../errors/classify.ts';
import { StackError } from './stack-error.ts';

/** What has to stay the same from one run to the next, kept beside the data that it belongs to. */
export interface DataSettings {
  /** The port of the last run: taken again if it is free, so that addresses that people noted stay true. */
  port?: number | undefined;
  password: string;
  /** Which server made the data, for example `mariadb 10.11`. */
  madeBy?: string | undefined;
}

const dataSettingsSchema = z.object({
  port: z.int().min(1).max(65_535).optional(),
  password: z.string().min(1),
  madeBy: z.string().optional(),
});

/** The settings in the folder, or new ones with a random password. */
export async function readDataSettings(directory: string): Promise<DataSettings> {
  const file = settingsFile(directory);
  try {
    return dataSettingsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { password: randomBytes(18).toString('base64url') };
    throw new StackError(`${file} is damaged. Delete ${directory} to begin with empty data.`, {
      cause: error,
    });
  }
}

/** Readable by the user alone: it holds the password. */
export async function writeDataSettings(directory: string, settings: DataSettings): Promise<void> {
  const file = settingsFile(directory);
  await writeFile(`${file}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function settingsFile(directory: string): string {
  return path.join(directory, 'settings.json');
}
