import { readFileSync } from 'node:fs';

const lineCount = 15;

/** The end of a log file, to show why a child could not be started. */
export function lastLines(logFile: string | undefined): string {
  if (logFile === undefined) return 'Its own log lines above say why.';
  try {
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lineCount);
    return [`The end of ${logFile}:`, ...lines].join('\n');
  } catch {
    return `Its log is ${logFile}.`;
  }
}
