import { collectBytes } from '../outside-call/collect-bytes.ts';
import { maxAnswerBytes } from './max-answer-bytes.ts';

/** An answer began and did not come to its end, or came to none. */
export class AnswerInterruptedError extends Error {
  override readonly name = 'AnswerInterruptedError';
}

/**
 * `fetch` that has read the whole answer, and no more than any answer can have.
 *
 * @throws AnswerInterruptedError when the answer broke off or is too large; else as `fetch` does
 */
export async function boundedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (response.body === null) return response;
  let body: Uint8Array;
  try {
    body = await collectBytes(response.body, maxAnswerBytes);
  } catch (cause) {
    throw new AnswerInterruptedError('The answer did not come to its end', { cause });
  }
  const { status, statusText, headers } = response;
  return new Response(new Uint8Array(body), { status, statusText, headers });
}
