import type { PayloadOf, QueueContract, ResultOf } from '../contracts/define-queue.ts';
import type { ChildOutcome } from '../ledger/fan-out.ts';
import type { JobContext } from './job-context.ts';

export interface FanOutOptions {
  /** From then on the finish step runs even if children are open. These go on, and change nothing for the parent. */
  until?: Date;
  /**
   * What `finish` is told beside the children, as small JSON. Never anything about a person: whoever forgets people
   * looks into payloads and results only.
   */
  interim?: unknown;
  /** Opens the children of an earlier generation that have failed or were cancelled again. */
  reopenChildren?: boolean;
}

/** Answered by a handler whose work is done by other jobs; the finish step runs when all of them are settled. */
export class FanOut {
  readonly children: readonly { contract: QueueContract; payload: unknown }[];
  readonly options: FanOutOptions;

  /** @param children none where the handler has accepted them itself, with this job as their parent */
  constructor(
    children: readonly { contract: QueueContract; payload: unknown }[],
    options: FanOutOptions = {},
  ) {
    this.children = children;
    this.options = options;
  }
}

/** How a queue's jobs are done. A handler's effects must be idempotent: it may run again at any point. */
export interface Handlers<Contract extends QueueContract> {
  start(payload: PayloadOf<Contract>, context: JobContext): Promise<ResultOf<Contract> | FanOut>;
  /**
   * Only for queues that fan out: makes the result of the children's outcomes, failed ones included. `interim` is
   * what `start` gave, parsed from JSON; null when it gave nothing.
   */
  finish?(
    payload: PayloadOf<Contract>,
    context: JobContext,
    children: AsyncIterable<ChildOutcome>,
    interim: unknown,
  ): Promise<ResultOf<Contract>>;
}
