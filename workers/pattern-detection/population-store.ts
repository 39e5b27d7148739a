import type { Kysely } from 'kysely';
import type { Tables } from '../../shared/database/tables.ts';
import { populationSchema, type Population } from '../../shared/patterns/population.ts';

export interface LearntPopulation {
  population: Population;
  learntAt: Date;
}

/** What was learnt last; undefined when nothing was, or when another version of the fleet has learnt it. */
export async function readPopulation(db: Kysely<Tables>): Promise<LearntPopulation | undefined> {
  const row = await db
    .selectFrom('populations')
    .select(['population', 'learnt_at'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const population = row && populationSchema.safeParse(JSON.parse(row.population)).data;
  return population && { population, learntAt: row.learnt_at };
}

export async function keepPopulation(
  db: Kysely<Tables>,
  { population, learntAt }: LearntPopulation,
  users: number,
): Promise<void> {
  await db
    .insertInto('populations')
    .values({ population: JSON.stringify(population), users, learnt_at: learntAt })
    .execute();
}
