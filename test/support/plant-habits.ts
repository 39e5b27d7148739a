import type { ActivityEvent } from '../../shared/patterns/activity-log.ts';
import { dayMs, hourMs, weekdayOf, type DayWindow } from '../../shared/patterns/local-day.ts';
import { createRandom } from '../../shared/sample-log/create-random.ts';

const minuteMs = 60_000;

export interface PlantedUser {
  events: ActivityEvent[];
  /** How often the habits were kept in fact: chance makes it differ from what was planted. */
  dashboardShare: number;
  reportShare: number;
}

/**
 * A user who opens `dashboard` on weekdays between 9 and 10 with probability 0.9, and whose `login`s `report` follows
 * within 15 minutes in 85 % of cases, among other things done at random. The clock is UTC.
 */
export function plantHabits(seed: number, days: DayWindow, noiseADay = 4): PlantedUser {
  const random = createRandom(seed);
  const events: ActivityEvent[] = [];
  const add = (activityType: string, occurredAtMs: number) =>
    events.push({ activityType, occurredAtMs: Math.floor(occurredAtMs), timezone: 'UTC' });
  let [weekdays, kept, logins, followed] = [0, 0, 0, 0];
  for (let day = days.startDay; day < days.endDay; day += 1) {
    if (weekdayOf(day) <= 5) {
      weekdays += 1;
      if (random() < 0.9) {
        kept += 1;
        add('dashboard', day * dayMs + (9 + random()) * hourMs);
      }
    }
    if (random() < 0.8) {
      const atMs = day * dayMs + (8 + random() * 12) * hourMs;
      logins += 1;
      add('login', atMs);
      if (random() < 0.85) {
        followed += 1;
        add('report', atMs + (0.5 + random() * 14) * minuteMs);
      }
    }
    for (let left = Math.floor(random() * 2 * noiseADay); left > 0; left -= 1) {
      add(`noise-${Math.floor(random() * 6)}`, day * dayMs + (7 + random() * 15) * hourMs);
    }
  }
  return { events, dashboardShare: kept / weekdays, reportShare: followed / logins };
}

export interface Noise {
  eventsADay: number;
  activities: number;
  /** The hours of the day at which the user is awake. */
  from: number;
  to: number;
}

/** Random activities at random times. */
export function makeNoise(seed: number, days: DayWindow, noise: Noise): ActivityEvent[] {
  const random = createRandom(seed);
  const events: ActivityEvent[] = [];
  for (let day = days.startDay; day < days.endDay; day += 1) {
    const count = Math.floor(noise.eventsADay) + (random() < noise.eventsADay % 1 ? 1 : 0);
    for (let left = count; left > 0; left -= 1) {
      const hour = noise.from + random() * (noise.to - noise.from);
      events.push({
        activityType: `activity-${Math.floor(random() * noise.activities)}`,
        occurredAtMs: Math.floor(day * dayMs + hour * hourMs),
        timezone: 'UTC',
      });
    }
  }
  return events;
}
