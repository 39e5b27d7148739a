import type { ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { z } from 'zod';
import type { ReadyMessage } from '../process/run-process.ts';

const readyMessageSchema: z.ZodType<ReadyMessage> = z.object({
  kind: z.literal('ready'),
  url: z.string().optional(),
  healthUrl: z.string(),
});

/** Waits until a process of the fleet says over IPC that it is ready. Rejects when `ended` is aborted. */
export async function untilReadyMessage(child: ChildProcess, ended: AbortSignal): Promise<ReadyMessage> {
  for await (const [message] of on(child, 'message', { signal: ended })) {
    const parsed = readyMessageSchema.safeParse(message);
    if (parsed.success) return parsed.data;
  }
  throw new Error('it closed its channel before it was ready');
}
