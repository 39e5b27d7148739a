import { setTimeout as delay } from 'node:timers/promises';

/**
 * How long a test waits for what must come, in milliseconds: as long as it may take itself (see jest.config.mjs), less
 * what it takes to say what did not come. A machine may be as busy as it likes.
 */
export const busyMachineMs = 150_000;

/** Resolves when the condition holds; fails after the time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { withinMs = busyMachineMs, everyMs = 20 } = {},
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`the condition does not hold after ${withinMs} ms: ${String(condition)}`);
    }
    await delay(everyMs);
  }
}
