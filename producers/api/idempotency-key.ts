import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../../shared/http/problem.ts';

/**
 * The `Idempotency-Key` header of draft-ietf-httpapi-idempotency-key-header-07: a quoted string; taken bare too.
 *
 * @throws ProblemError 422 when it is empty, too long or holds control characters
 */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return undefined;
  const text = Array.isArray(header) ? header.join(',') : header;
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text.trim())?.[1];
  const key = quoted === undefined ? text.trim() : quoted.replaceAll(/\\(["\\])/g, '$1');
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new ProblemError('VALIDATION_ERROR', 'Idempotency-Key: must be 1 to 255 printable ASCII characters.');
}
