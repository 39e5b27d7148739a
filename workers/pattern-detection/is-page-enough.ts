import type { Occurrence } from '../../shared/patterns/next-occurrence.ts';

/**
 * Whether the page that a user has serves a later window too, so that none is to be made: it is fresh, and it was not
 * made for an earlier window that has begun. Pages of other systems, whose window nobody knows, serve while fresh.
 */
export function isPageEnough(
  page: { expiresAt: Date; windowStart: Date | null } | undefined,
  { startMs }: Pick<Occurrence, 'startMs'>,
  nowMs: number,
): boolean {
  if (!page || page.expiresAt.getTime() <= nowMs) return false;
  const madeForMs = page.windowStart?.getTime();
  return madeForMs === undefined || madeForMs > nowMs || startMs <= madeForMs;
}
