import { forgetPerson } from '../../producers/cli/forget/forget-person.ts';
import type { ForgetClients, Forgotten, Person } from '../../producers/cli/forget/person.ts';
import type { Environment } from '../../shared/config/read-settings.ts';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import type { EmbeddedServer } from '../../shared/embedded/embedded-server.ts';
import type { JobRecord } from '../../shared/ledger/job-record.ts';
import { openPrivateServers } from './open-private-servers.ts';
import { openTestFleet, type TestFleet } from './open-test-fleet.ts';
import { readEverything } from './read-everything.ts';

/** What is done where nothing is stored about the person. */
export const nothingForgotten: Forgotten = {
  jobs_rewritten: 0,
  jobs_dispatched_again: 0,
  redis_jobs_removed: 0,
  predictions_deleted: 0,
  predictions_rewritten: 0,
  insights_deleted: 0,
  pages_deleted: 0,
  events_deleted: 0,
  looks_deleted: 0,
  leads_deleted: 0,
  lead_scores_deleted: 0,
  outcomes_deleted: 0,
  answers_deleted: 0,
  cache_entries_deleted: 0,
  idempotency_keys_deleted: 0,
  running: [],
};

/** Where people are forgotten: a Redis that holds nothing else, and one fleet after the other. */
export interface ForgetRoom extends AsyncDisposable {
  redis: EmbeddedServer;
  /** Redis is wiped when the fleet is disposed. */
  openFleet(contracts: readonly QueueContract[]): Promise<ForgetFleet>;
}

export interface ForgetFleet extends TestFleet {
  /** What the command line is started with to reach MySQL and Redis. */
  environment: Environment;
  /** Forgets in every queue of the fleet, and in the insight table if there is one. */
  forget(person: Person, waitMs: number, insights?: ForgetClients['insights']): Promise<Forgotten>;
  settled(id: string): Promise<JobRecord>;
  /** Everything that MySQL and Redis hold, as one text. */
  everything(): Promise<string>;
}

export async function openForgetRoom(): Promise<ForgetRoom> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const redis = await servers.startRedis();
  const owned = resources.move();
  return {
    redis,
    async openFleet(contracts) {
      const fleet = await openTestFleet(contracts, { kind: 'url', url: redis.url });
      const { user, password, host, port, database } = fleet.databaseSettings;
      return {
        ...fleet,
        environment: {
          REDIS_URL: redis.url,
          DATABASE_URL: `mysql://${user}:${password}@${host}:${port}/${database}`,
        },
        forget(person, waitMs, insights) {
          return forgetPerson(person, waitMs, {
            ...fleet,
            db: fleet.database.db,
            cache: fleet.redis,
            insights,
            queues: contracts.map(({ name }) => name),
          });
        },
        async settled(id) {
          const record = await fleet.results.wait(id, 10_000);
          if (!record) throw new Error('the job is not settled');
          return record;
        },
        everything: () => readEverything(fleet.database.db, fleet.redis.client),
        async [Symbol.asyncDispose]() {
          await fleet.redis.client.flushall();
          await fleet[Symbol.asyncDispose]();
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
