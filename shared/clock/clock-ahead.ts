/**
 * How far another machine's clock is ahead of this one's, in milliseconds, negative when it is behind. Its time
 * belongs to some moment between question and answer, so within that it counts as right.
 */
export function clockAheadMs(serverMs: number, askedAtMs: number, answeredAtMs: number): number {
  if (serverMs < askedAtMs) return serverMs - askedAtMs;
  return Math.max(0, serverMs - answeredAtMs);
}
