import type { Kysely } from 'kysely';
import { readActiveUsers } from '../../shared/activity/read-active-users.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { learnPopulation, type Example } from '../../shared/patterns/learn-population.ts';
import { dayMs } from '../../shared/patterns/local-day.ts';
import { pastExamples } from '../../shared/patterns/past-examples.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import type { IsTimezone } from '../../shared/timezone/timezone-names.ts';
import { createSample } from './create-sample.ts';
import { keepPopulation, readPopulation } from './population-store.ts';
import { readDays } from './read-days.ts';

/** A population stays good for so long. */
const goodForMs = dayMs;
/** With fewer examples, there may soon be many more: a database that is new is looked at again with each tick. */
const fewExamples = 30;
/** More users would make the weights no better. */
const mostUsers = 400;
/** How many days the outcomes of one moment of the past take in. */
const horizonDays = 7;

export interface LearningOptions {
  nowMs: number;
  windowDays: number;
  activeSince: Date;
  /** Asked before each user; then what was learnt until now counts. */
  isTimeUp: () => boolean;
}

/**
 * Learns how well patterns hold for people in general, from the past of a sample of the active users, when that was
 * not done for a day. Memory holds one user's days at a time, and the examples.
 */
export async function learnAgain(
  { db, isTimezone }: { db: Kysely<Tables>; isTimezone: IsTimezone },
  { nowMs, windowDays, activeSince, isTimeUp }: LearningOptions,
  { signal, log }: Pick<JobContext, 'signal' | 'log'>,
): Promise<void> {
  const known = await readPopulation(db);
  const isYoung = known !== undefined && nowMs - known.learntAt.getTime() < goodForMs;
  if (isYoung && known.population.examples >= fewExamples) return;

  const sample = createSample<string>(mostUsers, Math.random);
  for await (const users of readActiveUsers(db, { since: activeSince })) {
    signal.throwIfAborted();
    for (const { userId } of users) sample.add(userId);
  }
  const examples: Example[] = [];
  for (const userId of sample.items()) {
    signal.throwIfAborted();
    if (isTimeUp()) break;
    const { events, window } = await readDays({ db, isTimezone }, userId, { nowMs, windowDays });
    examples.push(...pastExamples(events, window, horizonDays));
  }
  const population = learnPopulation(examples);
  if (isYoung && population.examples <= known.population.examples) return;
  const users = sample.items().length;
  await keepPopulation(db, { population, learntAt: new Date(nowMs) }, users);
  log.info({ users, examples: population.examples }, 'learnt how well patterns hold for people in general');
}
