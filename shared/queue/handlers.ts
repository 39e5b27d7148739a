import type { PayloadOf, QueueContract, ResultOf } from '../contracts/define-queue.ts';
import type { ChildOutcome } from '../ledger/fan-out.ts';
import type { JobContext } from './job-context.ts';

/** Answered by a handler whose work is done by other jobs; the finish step runs when all of them are settled. */
export class FanOut {
  readonly children: readonly { contract: QueueContract; payload: unknown }[];

  constructor(children: readonly { contract: QueueContract; payload: unknown }[]) {
    this.children = children;
  }
}

/** How a queue's jobs are done. A handler's effects must be idempotent: it may run again at any point. */
export interface Handlers<Contract extends QueueContract> {
  start(payload: PayloadOf<Contract>, context: JobContext): Promise<ResultOf<Contract> | FanOut>;
  /** Only for queues that fan out: makes the result of the children's outcomes, failed ones included. */
  finish?(
    payload: PayloadOf<Contract>,
    context: JobContext,
    children: AsyncIterable<ChildOutcome>,
  ): Promise<ResultOf<Contract>>;
}
