import { randomUUID } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import type { Insertable } from 'kysely';
import { buildServer } from '../../producers/api/build-server.ts';
import { contentGeneration } from '../../shared/contracts/content-generation.ts';
import type { PageCacheTable } from '../../shared/database/page-cache-table.ts';
import type { EmbeddedServer } from '../../shared/embedded/embedded-server.ts';
import { apiOptions } from './api-options.ts';
import { samplePage } from './open-content-room.ts';
import { openPrivateServers } from './open-private-servers.ts';
import { openTestFleet, type TestFleet } from './open-test-fleet.ts';

/** The API before pages that a test stores, with a Redis that it may stop. */
export interface PageApi extends AsyncDisposable {
  redis: EmbeddedServer;
  fleet: TestFleet;
  get(path: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  /** Stores a page as a worker does; answers its user. */
  store(changes?: Partial<Insertable<PageCacheTable>>): Promise<string>;
  /** Changes what MySQL has of a user's pages, past the fleet. */
  change(userId: string, changes: Partial<Insertable<PageCacheTable>>): Promise<void>;
  /** How often the cache of pages had this outcome. */
  counted(outcome: string): Promise<number>;
}

export async function openPageApi(): Promise<PageApi> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(await openPrivateServers());
  const redis = await servers.startRedis();
  const fleet = resources.use(await openTestFleet([contentGeneration], { kind: 'url', url: redis.url }));
  const server = resources.adopt(await buildServer(apiOptions(fleet)), (opened) => opened.close());
  const { db } = fleet.database;
  const owned = resources.move();
  return {
    redis,
    fleet,
    get: (path, headers = {}) => server.inject({ url: `/v1/pages/${path}`, headers }),
    async store(changes = {}) {
      const userId = changes.user_id ?? `user_${randomUUID()}`;
      await db
        .insertInto('page_cache')
        .values({
          user_id: userId,
          page_key: 'dashboard',
          content: JSON.stringify(samplePage),
          expires_at: new Date(Date.now() + 3_600_000),
          window_start: new Date(),
          generation_id: 7,
          model_used: 'bedrock-claude',
          ...changes,
        })
        .execute();
      return userId;
    },
    async change(userId, changes) {
      await db.updateTable('page_cache').set(changes).where('user_id', '=', userId).execute();
    },
    async counted(outcome) {
      const { values } = await fleet.metrics.cacheRequests.get();
      return values.find(({ labels }) => labels.cache === 'pages' && labels.outcome === outcome)?.value ?? 0;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
