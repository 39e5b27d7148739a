import { z } from 'zod';

/** How late an event loop was, in milliseconds. */
export interface EventLoopDelay {
  p50: number;
  p99: number;
}

/** Node looks every so often, and counts that time too. */
const resolutionMs = 10;

/**
 * What processes measured since they were asked last, which begins anew with the asking; of the process that was the
 * latest.
 */
export async function readEventLoopDelay(healthUrls: readonly string[]): Promise<EventLoopDelay> {
  const delays = await Promise.all(healthUrls.map(readOne));
  const latest = (name: keyof EventLoopDelay) => Math.max(...delays.map((each) => each[name]));
  return { p50: latest('p50'), p99: latest('p99') };
}

async function readOne(healthUrl: string): Promise<EventLoopDelay> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  const delayMs = (name: string) => {
    const line = text.split('\n').find((each) => each.startsWith(`nodejs_eventloop_lag_${name}_seconds `));
    const seconds = z.coerce.number().parse(line?.split(' ')[1]);
    return Math.max(0, seconds * 1_000 - resolutionMs);
  };
  return { p50: delayMs('p50'), p99: delayMs('p99') };
}
