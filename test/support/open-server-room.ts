import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../shared/config/read-settings.ts';
import { openGuard, type Guard } from '../../shared/embedded/open-guard.ts';
import { createLogger, type Logger } from '../../shared/telemetry/create-logger.ts';

/** What servers and other children are started with in a test; everything ends and goes with it. */
export interface ServerRoom extends AsyncDisposable {
  directory: string;
  environment: Environment;
  guard: Guard;
  logger: Logger;
  /** The lines that the logger wrote. */
  log: z.output<typeof lineSchema>[];
}

const lineSchema = z.object({
  msg: z.string(),
  child: z.string().optional(),
  reason: z.string().optional(),
  delay_ms: z.number().optional(),
});

export async function openServerRoom(): Promise<ServerRoom> {
  const directory = await mkdtemp(path.join(tmpdir(), 'presage-test-'));
  const guard = await openGuard();
  guard.removeAtEnd(directory);
  const log: ServerRoom['log'] = [];
  return {
    directory,
    environment: process.env,
    guard,
    log,
    logger: createLogger({
      process: 'test',
      level: 'debug',
      write: (line) => void log.push(lineSchema.parse(JSON.parse(line))),
    }),
    [Symbol.asyncDispose]: () => guard[Symbol.asyncDispose](),
  };
}
