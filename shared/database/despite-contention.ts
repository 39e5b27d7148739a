import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../errors/classify.ts';
import { StoreUnavailableError } from '../errors/job-error.ts';

const attempts = 12;
const longestPauseMs = 400;

/** Others were at the same rows at this moment: nothing is wrong, and nothing was done. */
const contentionCodes: ReadonlySet<string> = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
]);

/**
 * Runs a transaction, and runs it again when others were in its way.
 *
 * @throws StoreUnavailableError when they are in its way each time; what the transaction throws otherwise
 */
export async function despiteContention<Result>(transaction: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction();
    } catch (error) {
      if (!contentionCodes.has(errorCode(error) ?? '')) throw error;
      if (attempt === attempts) throw new StoreUnavailableError('mysql', error);
    }
    await delay(Math.random() * Math.min(longestPauseMs, 10 * 2 ** attempt));
  }
}
