import { destination, pino, type Logger } from 'pino';
import { JobError } from '../errors/job-error.ts';

export type { Logger };

export interface LoggerOptions {
  /** The process's name: `api`, `relay`, a queue's name. */
  process: string;
  level: string;
  /** Where lines go: standard error unless a test says otherwise. */
  write?: (line: string) => void;
}

/** Fields that could carry what belongs to a person or a secret, wherever they turn up. */
const neverLogged = [
  'phoneNumber',
  'phone_number',
  'contacts',
  'metadata',
  'payload',
  'result',
  'password',
  'authorization',
  'apiKey',
  'prompt',
  'answer',
];

/**
 * A JSON logger on standard error (standard output is for results). Log ids, counts and route patterns;
 * what could carry personal data is replaced, and of an error that nobody classified only the name, the
 * code and the stack's frames are written, because its message may quote input. The ledger keeps the message.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { process: options.process, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: neverLogged.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
      serializers: { err: describeError },
    },
    options.write ? { write: options.write } : destination({ fd: 2, sync: true }),
  );
}

function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { name: typeof error };
  return {
    name: error.name,
    ...(error instanceof JobError ? { message: error.message, kind: error.kind } : {}),
    ...('code' in error ? { code: String(error.code) } : {}),
    stack: framesOf(error),
    ...(error.cause !== undefined && depth < 3 ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}

/** Where it happened. The message above the frames may quote input, in lines that look like frames. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = message === '' ? -1 : stack.indexOf(message);
  const belowMessage = start === -1 ? stack : stack.slice(start + message.length);
  return belowMessage
    .split('\n')
    .filter((line) => /^\s+at .*(:\d+:\d+\)?|<anonymous>\)|native\))$/.test(line))
    .map((line) => line.trim())
    .slice(0, 12);
}
