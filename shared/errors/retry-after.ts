/**
 * What an HTTP `Retry-After` header asks for, in milliseconds: a number of seconds or a date (RFC 9110).
 * `undefined` when it is neither.
 */
export function retryAfterMs(header: string, nowMs: number): number | undefined {
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
