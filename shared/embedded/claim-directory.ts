import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { errorCode } from '../errors/classify.ts';
import { processIdentity } from '../process/process-identity.ts';
import type { Guard } from './open-guard.ts';
import { StackError } from './stack-error.ts';

const processSchema = z.object({ pid: z.int(), identity: z.string() });
const claimSchema = z.object({ owner: processSchema, guard: processSchema });

/** Another stack works with the data in this folder. */
export class DirectoryInUseError extends StackError {
  constructor(directory: string, pid: number) {
    super(`${directory} is in use: another \`presage up\` (process ${pid}) runs with the data in it.`);
  }
}

const waitForGuardMs = 40_000;

/**
 * Makes this process the only one to run servers on the folder's data, until the guard ends. The guard of an
 * owner that crashed is waited for: its servers may still be writing.
 *
 * @throws DirectoryInUseError
 */
export async function claimDirectory(directory: string, guard: Guard): Promise<void> {
  const file = path.join(directory, 'owner.json');
  const ours = `${file}.${process.pid}`;
  const claim = { owner: describe(process.pid), guard: describe(guard.pid) };
  await writeFile(ours, JSON.stringify(claim), { mode: 0o600 });
  const deadline = Date.now() + waitForGuardMs;
  try {
    // A link to the complete file: it exists with its content or not at all, and only one can make it.
    while (!(await linkUnlessThere(ours, file))) {
      const other = await readClaim(file);
      if (other && isRunning(other.owner)) throw new DirectoryInUseError(directory, other.owner.pid);
      if (other && isRunning(other.guard)) {
        if (Date.now() > deadline) throw new DirectoryInUseError(directory, other.guard.pid);
        await delay(50);
      } else {
        await rm(file, { force: true });
      }
    }
  } finally {
    await rm(ours, { force: true });
  }
  guard.removeAtEnd(file);
}

type ProcessDescription = z.output<typeof processSchema>;

function describe(pid: number): ProcessDescription {
  return { pid, identity: processIdentity(pid) ?? '' };
}

function isRunning({ pid, identity }: ProcessDescription): boolean {
  return processIdentity(pid) === identity;
}

async function linkUnlessThere(source: string, file: string): Promise<boolean> {
  try {
    await link(source, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readClaim(file: string): Promise<z.output<typeof claimSchema> | undefined> {
  try {
    return claimSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined; // given back in this moment, or damaged
  }
}
