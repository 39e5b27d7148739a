import { setTimeout as delay } from 'node:timers/promises';

/** Leaves MySQL to the jobs themselves while a long backlog is deleted. */
const pauseBetweenPagesMs = 100;

/**
 * Deletes rows a page at a time, so that no statement locks more than a page of them. Answers how many.
 *
 * @param deletePage deletes at most so many rows and answers how many it deleted
 * @param signal ends it after the page in hand
 */
export async function deleteInPages(
  deletePage: (limit: number) => Promise<bigint>,
  { pageSize, signal }: { pageSize: number; signal: AbortSignal },
): Promise<number> {
  let deleted = 0;
  while (!signal.aborted) {
    const rows = await deletePage(pageSize);
    deleted += Number(rows);
    if (rows < pageSize) break;
    await delay(pauseBetweenPagesMs, undefined, { signal }).catch(() => undefined);
  }
  return deleted;
}
