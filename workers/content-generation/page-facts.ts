import type { UserEvent } from '../../shared/activity/read-user-activity.ts';
import { toActivityEvents } from '../../shared/activity/to-activity-events.ts';
import { toPlainText } from '../../shared/pages/plain-text.ts';
import { readActivityLog, type ActivityLog } from '../../shared/patterns/activity-log.ts';
import { compactFacts, type ActivityFacts } from '../../shared/patterns/compact-facts.ts';
import { localTime } from '../../shared/patterns/local-clock.ts';
import { localDay } from '../../shared/patterns/local-day.ts';
import { maximumNameLength, type Pattern } from '../../shared/patterns/pattern.ts';
import { localWords } from './local-words.ts';
import type { Prediction } from './prediction.ts';

/** What a page can be made of. Names are plain text; times are local, for example `Mon 2026-11-23 09:12`. */
export interface PageFacts extends ActivityFacts {
  page_key: string;
  pattern: Pattern | null;
  reason: string | null;
  window: { from: string; to: string; timezone: string };
  /** What the user did last that has to do with the page, the newest first. */
  recent: [activity: string, at: string][];
  /** The pages that a link may lead to, the most used ones first. */
  pages: string[];
}

export const factsOfDays = 30;
const mostRecent = 12;
const mostPages = 20;
const maxReasonCharacters = 300;

/**
 * The facts about a prediction, from what its user did in the last thirty days and today. Of bounded size.
 *
 * @param events of the user, in the order of time
 */
export function gatherFacts(prediction: Prediction, events: readonly UserEvent[], nowMs: number): PageFacts {
  const { pageKey, pattern, reason, windowStart, windowEnd } = prediction;
  const known = events.findLast(({ timezone }) => timezone !== null)?.timezone;
  const timezone = prediction.timezone ?? known ?? 'UTC';
  const today = localDay(timezone, nowMs);
  const log = readActivityLog(
    toActivityEvents(events),
    // Today belongs to it: what has just been done says most about what comes next.
    { startDay: today - factsOfDays, endDay: today + 1 },
  );
  const facts = compactFacts(log);
  return {
    page_key: plainName(pageKey),
    pattern: pattern === undefined ? null : withPlainNames(pattern),
    reason: reason === null ? null : toPlainText(reason, maxReasonCharacters),
    window: {
      from: localWords(localTime(timezone, windowStart.getTime())),
      to: localWords(localTime(timezone, windowEnd.getTime())),
      timezone: toPlainText(timezone, 64),
    },
    days: facts.days,
    events: facts.events,
    activities: facts.activities.map(([name, ...rest]) => [plainName(name), ...rest]),
    transitions: facts.transitions.map(([first, then, ...rest]) => [
      plainName(first),
      plainName(then),
      ...rest,
    ]),
    recent: recentOf(log, relatedTo(prediction, facts)),
    pages: linkablePages(log, pageKey),
  };
}

/** Names come from the log: a page may quote them, so they are what a page may hold. */
function plainName(name: string): string {
  return toPlainText(name, maximumNameLength);
}

function withPlainNames(pattern: Pattern): Pattern {
  const activity = plainName(pattern.activity);
  return pattern.kind === 'time'
    ? { ...pattern, activity }
    : { ...pattern, activity, after: plainName(pattern.after) };
}

function relatedTo({ pageKey, pattern }: Prediction, { transitions }: ActivityFacts): Set<string> {
  const related = new Set([pageKey]);
  if (pattern?.kind === 'sequence') related.add(pattern.after);
  for (const [first, then] of transitions) {
    if (first === pageKey) related.add(then);
    if (then === pageKey) related.add(first);
  }
  return related;
}

function recentOf(log: ActivityLog, names: ReadonlySet<string>): PageFacts['recent'] {
  const places = log.activities.flatMap(({ name, places: all }) =>
    names.has(name) ? all.slice(-mostRecent).map((place) => ({ name, place })) : [],
  );
  return places
    .sort((one, other) => other.place - one.place)
    .slice(0, mostRecent)
    .map(({ name, place }) => [plainName(name), localWords(log.localMsAt[place] ?? 0)]);
}

function linkablePages(log: ActivityLog, pageKey: string): string[] {
  return log.activities
    .filter(({ name }) => name !== pageKey && plainName(name) === name)
    .toSorted((one, other) => other.places.length - one.places.length)
    .slice(0, mostPages)
    .map(({ name }) => name);
}
