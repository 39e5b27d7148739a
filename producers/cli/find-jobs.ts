import type { BrowseFilter } from '../../shared/ledger/browse-jobs.ts';
import type { JobRecord } from '../../shared/ledger/job-record.ts';
import type { Ledger } from '../../shared/ledger/open-ledger.ts';

const pageMs = 3_000;

/**
 * The newest jobs that hold a text, newest first. Looks back as far as the filter lets it, page by page: that takes as
 * long as it takes, but no statement grows with the ledger.
 *
 * @throws StoreUnavailableError
 */
export async function findJobs(
  ledger: Pick<Ledger, 'browse' | 'list'>,
  filter: Pick<BrowseFilter, 'queue' | 'state' | 'since' | 'limit'> & { search: string },
): Promise<JobRecord[]> {
  const ids: string[] = [];
  let before: string | undefined;
  do {
    const { queue, state, since, search } = filter;
    const limit = filter.limit - ids.length;
    const page = await ledger.browse({ queue, state, since, search, before, limit, searchForMs: pageMs });
    ids.push(...page.jobs.map(({ id }) => id));
    before = page.next;
  } while (ids.length < filter.limit && before !== undefined);
  return await ledger.list({ ids, limit: filter.limit });
}
