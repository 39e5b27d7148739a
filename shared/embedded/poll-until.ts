import { setInterval as everyInterval } from 'node:timers/promises';

const intervalMs = 25;

/** Repeats the check, one at a time, until it says yes. Rejects when `ended` is aborted; the check never throws. */
export async function pollUntil(check: () => Promise<boolean>, ended: AbortSignal): Promise<void> {
  for await (const _tick of everyInterval(intervalMs, undefined, { signal: ended })) {
    if (await check()) return;
  }
}
