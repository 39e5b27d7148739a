import { forgetPerson } from '../../producers/cli/forget/forget-person.ts';
import type { ForgetClients, Forgotten, Person } from '../../producers/cli/forget/person.ts';
import type { Environment } from '../../shared/config/read-settings.ts';
import type { QueueContract } from '../../shared/contracts/define-queue.ts';
import type { EmbeddedServer } from '../../shared/embedded/embedded-server.ts';
import type { JobRecord } from '../../shared/ledger/job-record.ts';
import { openPrivateServers, type PrivateServers } from './open-private-servers.ts';
import { openTestFleet, type TestFleet } from './open-test-fleet.ts';
import { readEverything } from './read-everything.ts';
import { busyMachineMs, until } from './until.ts';

/** Where people are forgotten. */
export interface ForgetRoom {
  /** Of the file's own: it holds nothing but what the test at hand has put there. */
  readonly redis: EmbeddedServer;
  /** Of the test at hand. */
  readonly fleet: ForgetFleet;
}

export interface ForgetFleet extends TestFleet {
  /** What the command line is started with to reach MySQL and Redis. */
  environment: Environment;
  /** Forgets in every queue of the fleet, and in the insight table if there is one. */
  forget(person: Person, waitMs: number, insights?: ForgetClients['insights']): Promise<Forgotten>;
  settled(id: string): Promise<JobRecord>;
  /** Resolves when no worker has a job in hand. */
  nobodyIsAtWork(): Promise<void>;
  /** Everything that MySQL and Redis hold, as one text. */
  everything(): Promise<string>;
}

/** Opens a Redis for the test file and a fleet with these queues for each of its tests, and closes them again. */
export function useForgetRoom(contracts: readonly QueueContract[]): ForgetRoom {
  let servers: PrivateServers;
  let redis: EmbeddedServer;
  let fleet: ForgetFleet;
  beforeAll(async () => {
    servers = await openPrivateServers();
    redis = await servers.startRedis();
  });
  afterAll(() => servers[Symbol.asyncDispose]());
  beforeEach(async () => {
    fleet = await openForgetFleet(contracts, redis.url);
  });
  afterEach(() => fleet[Symbol.asyncDispose]());
  return {
    get redis() {
      return redis;
    },
    get fleet() {
      return fleet;
    },
  };
}

/** Redis is wiped when the fleet is disposed. */
async function openForgetFleet(contracts: readonly QueueContract[], redisUrl: string): Promise<ForgetFleet> {
  const fleet = await openTestFleet(contracts, { kind: 'url', url: redisUrl });
  const { user, password, host, port, database } = fleet.databaseSettings;
  const queues = contracts.map(({ name }) => name);
  return {
    ...fleet,
    environment: {
      REDIS_URL: redisUrl,
      DATABASE_URL: `mysql://${user}:${password}@${host}:${port}/${database}`,
    },
    forget(person, waitMs, insights) {
      return forgetPerson(person, waitMs, {
        ...fleet,
        db: fleet.database.db,
        cache: fleet.redis,
        insights,
        queues,
      });
    },
    async settled(id) {
      const record = await fleet.results.wait(id, busyMachineMs);
      if (!record) throw new Error('the job is not settled');
      return record;
    },
    nobodyIsAtWork: () =>
      until(async () => {
        const active = await Promise.all(queues.map((queue) => fleet.dispatcher.activeJobIds(queue)));
        return active.flat().length === 0;
      }),
    everything: () => readEverything(fleet.database.db, fleet.redis.client),
    async [Symbol.asyncDispose]() {
      await fleet.redis.client.flushall();
      await fleet[Symbol.asyncDispose]();
    },
  };
}
