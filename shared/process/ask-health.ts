import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** What `/health/ready` answered. */
export interface HealthAnswer {
  isReady: boolean;
  /** The checks that are not ok, for example `redis degraded`. */
  notOk: readonly string[];
}

/**
 * Asks a process for `/health/ready`. Loads nothing but Node's own modules, because it is done every few seconds by a
 * process of its own.
 *
 * @throws Error when there is no answer in time, or not one of `/health/ready`
 */
export async function askHealth(url: string, withinMs: number): Promise<HealthAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(`${url}/health/ready`, { signal: AbortSignal.timeout(withinMs) }, resolve).on('error', reject);
  const response = await promise;
  const states = statesIn(await text(response));
  if (!states) throw new Error(`it answered ${response.statusCode}, without any checks`);
  const notOk = states.filter(([, state]) => state !== 'ok').map((words) => words.join(' '));
  return { isReady: response.statusCode === 200, notOk };
}

/** Each check with its state; `undefined` when the text is something else. */
function statesIn(body: string): [string, unknown][] | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null || !('checks' in answer)) return undefined;
    const { checks } = answer;
    return typeof checks === 'object' && checks !== null ? Object.entries(checks) : undefined;
  } catch {
    return undefined;
  }
}
