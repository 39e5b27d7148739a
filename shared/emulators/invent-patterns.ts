import { z } from 'zod';
import { factsIn } from './facts-in.ts';

/** Patterns as a model might propose them, in the form that it is asked for. */
export interface InventedPatterns {
  patterns: (InventedTimePattern | InventedSequence)[];
}

interface InventedTimePattern {
  kind: 'time';
  activity: string;
  weekdays: number[];
  hour_start: number;
  hour_end: number;
  reason: string;
  confidence: number;
}

interface InventedSequence {
  kind: 'sequence';
  after: string;
  activity: string;
  within_minutes: number;
  reason: string;
  confidence: number;
}

/** Of the facts of a user, what patterns can be made of: name, times, days ago, when; first, then, times, of, minutes. */
const factsSchema = z.object({
  activities: z.array(z.tuple([z.string(), z.number(), z.number(), z.string()])),
  transitions: z.array(z.tuple([z.string(), z.string(), z.number(), z.number(), z.number()])),
});

type Facts = z.output<typeof factsSchema>;

const everyDay = [1, 2, 3, 4, 5, 6, 7];
/** As many as the prompt asks for. */
const mostPatterns = 6;
const leastDays = 3;
const leastShare = 0.4;
const leastMinutes = 5;
/** Models are surer than they should be, and hardly ever unsure. */
const leastClaim = 0.5;
const mostClaim = 0.97;

/**
 * Plausible patterns for a prompt of the pattern worker, from the facts that stand in it as one line of JSON; the same
 * each time for the same prompt. Their reasons say that they are invented, and like a model's they claim too much.
 */
export function inventPatterns(prompt: string): InventedPatterns {
  const { activities, transitions } = factsSchema.safeParse(factsIn(prompt)).data ?? {
    activities: [],
    transitions: [],
  };
  const patterns = [...activities.flatMap(timePattern), ...transitions.flatMap(sequence)];
  return {
    patterns: patterns.sort((one, other) => other.confidence - one.confidence).slice(0, mostPatterns),
  };
}

/** The hour at which something was done on the most days, on the weekdays that the facts name for it. */
function timePattern([activity, times, , when]: Facts['activities'][number]): InventedTimePattern[] {
  const hours = new Map<number, { weekdays: Set<number>; days: number }>();
  for (const [, weekday = '', hour, days] of when.matchAll(/(?<!\S)([1-7]?)@(\d{1,2}):(\d+)(?!\S)/g)) {
    const here = hours.get(Number(hour)) ?? { weekdays: new Set(), days: 0 };
    for (const day of weekday === '' ? everyDay : [Number(weekday)]) here.weekdays.add(day);
    here.days += Number(days);
    hours.set(Number(hour), here);
  }
  const best = [...hours].sort((one, other) => other[1].days - one[1].days)[0];
  if (!best || best[0] > 23 || best[1].days < leastDays) return [];
  const [hour, { weekdays, days }] = best;
  return [
    {
      kind: 'time',
      activity,
      weekdays: [...weekdays].sort((one, other) => one - other),
      hour_start: hour,
      hour_end: hour + 1,
      reason: `Invented by the local server: done ${times} times, on ${days} days at ${hour} o'clock.`,
      confidence: claimed(days / times),
    },
  ];
}

function sequence([after, activity, times, of, minutes]: Facts['transitions'][number]): InventedSequence[] {
  if (of === 0 || times / of < leastShare || after === activity) return [];
  return [
    {
      kind: 'sequence',
      after,
      activity,
      within_minutes: Math.max(leastMinutes, 2 * Math.ceil(minutes)),
      reason: `Invented by the local server: it followed ${times} of ${of} times.`,
      confidence: claimed(times / of),
    },
  ];
}

function claimed(share: number): number {
  const claim = leastClaim + (1 - leastClaim) * Math.max(0, share);
  return Math.round(100 * Math.min(mostClaim, claim)) / 100;
}
