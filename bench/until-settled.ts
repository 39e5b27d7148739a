import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '../shared/ledger/open-ledger.ts';

const lookEveryMs = 20;

/** Waits until so many of the jobs are settled. */
export async function untilSettled(ledger: Ledger, ids: readonly string[], count: number): Promise<void> {
  while ((await ledger.settledAmong(ids)).length < count) await delay(lookEveryMs);
}
