import type { PageBlock, PageDocument } from '../../shared/pages/page-document.ts';
import { toPlainText } from '../../shared/pages/plain-text.ts';
import { dayName } from './local-words.ts';
import type { PageFacts } from './page-facts.ts';

/** Stored as the model of a page that the rules below made. Change it together with them. */
export const baselineName = 'baseline-1';

const mostLinks = 5;
const mostShown = 8;

/** A page of the user's own recent activity and nothing else. It says itself that no model wrote it. */
export function baselinePage(facts: PageFacts): PageDocument {
  const done = facts.activities.find(([name]) => name === facts.page_key);
  const next = facts.transitions.filter(([first]) => first === facts.page_key).map(([, then]) => then);
  const known = [...new Set([...next, ...facts.pages])].filter((name) => facts.pages.includes(name));
  const numbers = [
    { label: 'Expected', value: `${facts.window.from} to ${facts.window.to}` },
    ...(facts.pattern ? [{ label: 'Usual', value: usualTime(facts.pattern) }] : []),
    ...(done ? [{ label: `Times in ${facts.days} days`, value: String(done[1]) }] : []),
    ...(done ? [{ label: 'Days since the last time', value: String(done[2]) }] : []),
    ...next.slice(0, 1).map((then) => ({ label: 'Mostly followed by', value: then })),
  ];
  const recent = facts.recent.slice(0, mostShown).map(([name, at]) => toPlainText(`${at}: ${name}`, 200));
  const blocks: PageBlock[] = [
    { kind: 'paragraph', text: 'No model wrote this page: it shows your own recent activity.' },
    {
      kind: 'facts',
      items: numbers.map(({ label, value }) => ({ label, value: toPlainText(value, 120) })),
    },
  ];
  if (recent.length > 0) {
    blocks.push({ kind: 'heading', text: 'Lately' }, { kind: 'list', items: recent });
  }
  if (known.length > 0) {
    const items = known.slice(0, mostLinks).map((name) => ({ label: toPlainText(name, 60), page_key: name }));
    blocks.push({ kind: 'links', items });
  }
  return { title: toPlainText(facts.page_key, 120), blocks };
}

function usualTime(pattern: NonNullable<PageFacts['pattern']>): string {
  if (pattern.kind === 'sequence') return `within ${pattern.within_minutes} minutes after ${pattern.after}`;
  const days = pattern.weekdays.map(dayName).join(', ');
  return `${days} from ${pattern.hour_start} to ${pattern.hour_end} h`;
}
