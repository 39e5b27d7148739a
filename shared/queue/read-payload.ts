import { payloadVersionOf, type PayloadOf, type QueueContract } from '../contracts/define-queue.ts';
import { JobError, NewerPayloadError } from '../errors/job-error.ts';

export interface StoredPayload {
  payload: unknown;
  /** As its producer said. */
  version: number;
}

/**
 * A payload as this process knows it, brought up from the version in which it was stored.
 *
 * @throws NewerPayloadError for one of a version that this process does not know; JobError, final, for one that breaks
 *   its contract
 */
export function readPayload<Contract extends QueueContract>(
  contract: Contract,
  { payload, version }: StoredPayload,
): PayloadOf<Contract> {
  if (version > payloadVersionOf(contract)) throw new NewerPayloadError(version);
  let present = payload;
  try {
    for (const upgrade of contract.upgrades?.slice(version - 1) ?? []) present = upgrade(present);
  } catch (error) {
    throw broken(error);
  }
  const parsed = contract.payload.safeParse(present);
  if (!parsed.success) throw broken(parsed.error);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- safeParse loses the contract's own type
  return parsed.data as PayloadOf<Contract>;
}

function broken(cause: unknown): JobError {
  return new JobError('invalid-input', 'The payload does not fit the contract of its queue', {
    code: 'INVALID_PAYLOAD',
    cause,
  });
}
