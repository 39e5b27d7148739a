import type { PageBlock, PageDocument } from '../../shared/pages/page-document.ts';

/** The page without the links to pages that are not known; blocks of links that are empty then go with them. */
export function keepKnownLinks(page: PageDocument, known: readonly string[]): PageDocument {
  return { ...page, blocks: page.blocks.flatMap((block) => withKnownLinks(block, known)) };
}

function withKnownLinks(block: PageBlock, known: readonly string[]): PageBlock[] {
  if (block.kind !== 'links') return [block];
  const items = block.items.filter(({ page_key }) => known.includes(page_key));
  return items.length === 0 ? [] : [{ ...block, items }];
}
