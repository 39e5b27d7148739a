import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when the condition holds; fails after the time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { withinMs = 15_000, everyMs = 20 } = {},
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`the condition does not hold after ${withinMs} ms: ${String(condition)}`);
    }
    await delay(everyMs);
  }
}
