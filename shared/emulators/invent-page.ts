import { z } from 'zod';
import type { PageBlock, PageDocument } from '../pages/page-document.ts';
import { toPlainText } from '../pages/plain-text.ts';
import { factsIn } from './facts-in.ts';

/** Of the facts of a prediction, what a page can be made of. */
const factsSchema = z.object({
  page_key: z.string().min(1),
  window: z.object({ from: z.string(), to: z.string(), timezone: z.string() }),
  transitions: z.array(z.tuple([z.string(), z.string(), z.number(), z.number(), z.number()])),
  recent: z.array(z.tuple([z.string(), z.string()])),
  pages: z.array(z.string()),
});

type Facts = z.output<typeof factsSchema>;

const mostItems = 4;

/**
 * A plausible page for a prompt of the content worker, from the facts that stand in it as one line of JSON; the same
 * each time for the same prompt. It says itself that it is invented.
 */
export function inventPage(prompt: string): PageDocument {
  const facts = factsSchema.safeParse(factsIn(prompt)).data;
  const says: PageBlock = { kind: 'paragraph', text: "Invented by the demo's local server." };
  if (!facts) return { title: 'A page about nothing', blocks: [says] };
  const name = inWords(facts.page_key);
  return {
    title: text(`Ready for you: ${name}`, 120),
    blocks: [
      {
        kind: 'paragraph',
        text: text(`${says.text} You mostly come here about now, so this is prepared.`, 1_000),
      },
      { kind: 'facts', items: whenAndWhatNext(facts) },
      ...lately(facts),
      ...links(facts),
    ],
  };
}

function whenAndWhatNext({ page_key, window, transitions }: Facts): { label: string; value: string }[] {
  const next = transitions.find(([first]) => first === page_key);
  return [
    { label: 'Expected from', value: text(window.from, 120) },
    { label: 'Until', value: text(`${window.to}, ${window.timezone}`, 120) },
    ...(next ? [{ label: 'Mostly next', value: text(inWords(next[1]), 120) }] : []),
  ];
}

function lately({ recent }: Facts): PageBlock[] {
  const items = recent.slice(0, mostItems).map(([activity, at]) => text(`${at}: ${inWords(activity)}`, 200));
  return items.length === 0
    ? []
    : [
        { kind: 'heading', text: 'Lately' },
        { kind: 'list', items },
      ];
}

function links({ pages }: Facts): PageBlock[] {
  const items = pages
    .filter((page) => page !== '' && toPlainText(page, 128) === page)
    .slice(0, mostItems)
    .map((page) => ({ label: text(inWords(page), 60), page_key: page }));
  return items.length === 0 ? [] : [{ kind: 'links', items }];
}

/** `open_dashboard` is `open dashboard`. */
function inWords(name: string): string {
  return name.replaceAll('_', ' ');
}

/** A text that a page may hold, whatever it was made of. */
function text(from: string, maxCharacters: number): string {
  return toPlainText(from, maxCharacters) || 'something';
}
