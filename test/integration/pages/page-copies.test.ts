import { createPageReader } from '../../../producers/api/page-reader.ts';
import type { StoredPage } from '../../../shared/api-contract/stored-page.ts';
import { forgetPages } from '../../../shared/pages/forget-pages.ts';
import { copyKeptMs, dropPageCopy, pageCopyKey } from '../../../shared/pages/page-copies.ts';
import { samplePage } from '../../support/open-content-room.ts';
import { openPageApi, type PageApi } from '../../support/open-page-api.ts';
import { readEverything } from '../../support/read-everything.ts';
import { until } from '../../support/until.ts';

let api: PageApi;
beforeAll(async () => {
  api = await openPageApi();
});
afterAll(() => api[Symbol.asyncDispose]());

describe('the copy', () => {
  test('answers for a minute at most, without MySQL, and names nobody in its key', async () => {
    const userId = await api.store();
    const page = (await api.get(`${userId}/dashboard`)).json<StoredPage>();
    await api.change(userId, { content: 'gone' });
    expect((await api.get(`${userId}/dashboard`)).json()).toEqual(page);
    const key = pageCopyKey(userId, 'dashboard');
    expect(await api.fleet.redis.client.pttl(key)).toBeGreaterThan(0);
    expect(await api.fleet.redis.client.pttl(key)).toBeLessThanOrEqual(copyKeptMs);
    expect(key).not.toContain(userId);
    // Its time is over.
    await api.fleet.redis.client.del(key);
    expect((await api.get(`${userId}/dashboard`)).statusCode).toBe(404);
  });

  test('never outlives its page', async () => {
    const userId = await api.store({ expires_at: new Date(Date.now() + 20_000) });
    await api.get(`${userId}/dashboard`);
    const keptMs = await api.fleet.redis.client.pttl(pageCopyKey(userId, 'dashboard'));
    expect(keptMs).toBeGreaterThan(0);
    expect(keptMs).toBeLessThanOrEqual(20_000);

    const expired = {
      ...(await api.get(`${userId}/dashboard`)).json<StoredPage>(),
      expires_at: new Date(0).toISOString(),
    };
    await api.change(userId, { expires_at: new Date(0) });
    await api.fleet.redis.client.set(pageCopyKey(userId, 'dashboard'), JSON.stringify(expired));
    expect((await api.get(`${userId}/dashboard`)).statusCode).toBe(404);
  });

  test('that holds no page counts as none', async () => {
    const userId = await api.store();
    for (const text of ['{', 'null', '{"title":"<b>"}']) {
      await api.fleet.redis.client.set(pageCopyKey(userId, 'dashboard'), text);
      expect((await api.get(`${userId}/dashboard`)).json()).toMatchObject({ title: samplePage.title });
    }
  });

  test('of a page that changed while it was read is not kept', async () => {
    const userId = await api.store();
    const reader = createPageReader({
      // The page changes between the read of its row and the write of its copy.
      redis: api.fleet.redis.client,
      db: api.fleet.database.db.withPlugin({
        transformQuery: ({ node }) => node,
        async transformResult({ result }) {
          await dropPageCopy(api.fleet.redis.client, userId, 'dashboard');
          return result;
        },
      }),
      metrics: api.fleet.metrics,
      log: api.fleet.log,
    });
    expect(await reader.find(userId, 'dashboard')).toMatchObject({ title: samplePage.title });
    await api.change(userId, { content: JSON.stringify({ ...samplePage, title: 'Changed' }) });
    expect(await reader.find(userId, 'dashboard')).toMatchObject({ title: 'Changed' });
  });
});

describe('forgetting a user', () => {
  test('takes the pages and their copies, and leaves those of others', async () => {
    const userId = await api.store();
    const other = await api.store();
    await api.store({ user_id: userId, page_key: 'report' });
    await api.get(`${userId}/dashboard`);
    await api.get(`${other}/dashboard`);
    const clients = { db: api.fleet.database.db, redis: api.fleet.redis.client };
    expect(await forgetPages(userId, clients)).toBe(2);
    expect(await forgetPages(userId, clients)).toBe(0);
    expect((await api.get(`${userId}/dashboard`)).statusCode).toBe(404);
    expect((await api.get(`${other}/dashboard`)).statusCode).toBe(200);
    expect(await readEverything(api.fleet.database.db, api.fleet.redis.client)).not.toContain(userId);
  });
});

describe('while Redis is away', () => {
  beforeAll(() => api.redis.stop());
  afterAll(async () => {
    await api.redis.start();
    await until(() => api.fleet.redis.isUp());
  });

  test('pages come from MySQL', async () => {
    const userId = await api.store();
    const errors = await api.counted('error');
    expect((await api.get(`${userId}/dashboard`)).json()).toMatchObject({ title: samplePage.title });
    await api.change(userId, { content: JSON.stringify({ ...samplePage, title: 'Changed' }) });
    expect((await api.get(`${userId}/dashboard`)).json()).toMatchObject({ title: 'Changed' });
    expect(await api.counted('error')).toBe(errors + 2);
  });

  test('forgetting says so, and can be done again', async () => {
    const userId = await api.store();
    const clients = { db: api.fleet.database.db, redis: api.fleet.redis.client };
    await expect(forgetPages(userId, clients)).rejects.toThrow();
    expect((await api.get(`${userId}/dashboard`)).statusCode).toBe(200);
  });
});
