import type { z } from 'zod';

/**
 * Who is waiting. `interactive` jobs carry no priority number, which BullMQ serves first;
 * `bulk` jobs carry one and yield to them.
 */
export type Lane = 'interactive' | 'bulk';

/** What crosses one queue. Queue name = worker folder = process = compose service = metric label. */
export interface QueueContract<
  Name extends string = string,
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  name: Name;
  /** Parsed at accept (the caller's mistake) and again at pick-up (an older producer's payload). */
  payload: Payload;
  result: Result;
  /**
   * How a payload of each older version, as it is stored, becomes one of the next; the first one takes version 1. Pure,
   * and kept for ever: an operator may open a job again that is months old. Left out: there is version 1 only.
   */
  upgrades?: readonly ((older: unknown) => unknown)[];
  /** How many times a job is tried in all. */
  attempts: number;
  /** How long one attempt may take, in milliseconds; then its signal is aborted. */
  deadlineMs: number;
  lane: Lane;
  /**
   * What makes two payloads the same piece of work, however often it is sent: the second one is answered with the
   * first one's job. Without it every payload is work of its own. Answers JSON.
   *
   * @param input the payload as it came, with what the schema leaves out
   */
  identityOf?(payload: z.output<Payload>, input: unknown): unknown;
}

export function defineQueue<const Name extends string, Payload extends z.ZodType, Result extends z.ZodType>(
  contract: QueueContract<Name, Payload, Result>,
): QueueContract<Name, Payload, Result> {
  return contract;
}

/**
 * The version of the payloads that this process writes. It is raised, by one more of `upgrades`, for payloads that a
 * worker of the version before would not take, or would do otherwise than they mean.
 */
export function payloadVersionOf({ upgrades = [] }: Pick<QueueContract, 'upgrades'>): number {
  return 1 + upgrades.length;
}

export type PayloadOf<Contract extends QueueContract> = z.output<Contract['payload']>;
export type ResultOf<Contract extends QueueContract> = z.output<Contract['result']>;
