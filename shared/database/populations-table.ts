import type { Generated } from 'kysely';

/** What has been learnt about how well patterns hold for people in general; the newest row counts. */
export interface PopulationsTable {
  id: Generated<number>;
  /** JSON of `shared/patterns/population.ts`. */
  population: string;
  /** How many users' pasts it was learnt from. */
  users: number;
  learnt_at: Date;
}
