import type { Ledger } from '../ledger/open-ledger.ts';

/** What consuming needs of the ledger. */
export type JobStore = Pick<
  Ledger,
  'read' | 'settle' | 'recordFailedAttempt' | 'recordStray' | 'fanOut' | 'childOutcomes'
>;
