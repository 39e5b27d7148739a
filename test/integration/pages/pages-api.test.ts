import { storedPageSchema } from '../../../shared/api-contract/stored-page.ts';
import { dropPageCopy } from '../../../shared/pages/page-copies.ts';
import { samplePage } from '../../support/open-content-room.ts';
import { openPageApi, type PageApi } from '../../support/open-page-api.ts';

let api: PageApi;
beforeAll(async () => {
  api = await openPageApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const pathOf = (userId: string, pageKey: string) =>
  `${encodeURIComponent(userId)}/${encodeURIComponent(pageKey)}`;

describe('one page', () => {
  test('as it was made, to be asked about each time', async () => {
    const userId = await api.store();
    const response = await api.get(`${userId}/dashboard`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toBe('private, no-cache');
    const page = storedPageSchema.parse(response.json());
    expect(response.json()).toEqual({
      user_id: userId,
      page_key: 'dashboard',
      ...samplePage,
      generated_at: page.generated_at,
      expires_at: page.expires_at,
      model_used: 'bedrock-claude',
      degraded: false,
    });
  });

  test('that a rule made says so', async () => {
    const userId = await api.store({ degraded: 1, model_used: 'baseline-1' });
    expect((await api.get(`${userId}/dashboard`)).json()).toMatchObject({
      degraded: true,
      model_used: 'baseline-1',
    });
  });

  test('that nobody made, or that has expired, is not found', async () => {
    const userId = await api.store({ expires_at: new Date(Date.now() - 1) });
    for (const path of [`${userId}/dashboard`, `${userId}/other`, 'nobody/dashboard']) {
      const response = await api.get(path);
      expect(response.statusCode).toBe(404);
      expect(response.headers['content-type']).toContain('application/problem+json');
      expect(response.json()).toMatchObject({ code: 'NOT_FOUND' });
      expect(response.headers['cache-control']).toBeUndefined();
    }
  });

  test.each([
    ['slashes and percent signs', 'school/7/../user 100%', 'a/b%2Fc'],
    ['what URLs give a meaning', '?a=b&c#d;e+f', '?x#y'],
    ['128 characters of three bytes', '학'.repeat(128), '학'.repeat(128)],
  ])('with names of %s', async (_what, userId, pageKey) => {
    await api.store({ user_id: userId, page_key: pageKey });
    const response = await api.get(pathOf(userId, pageKey));
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ user_id: userId, page_key: pageKey });
  });

  test('of a user whose name differs in a space at its end is not found, whatever MySQL says', async () => {
    const userId = await api.store();
    expect((await api.get(pathOf(`${userId} `, 'dashboard'))).statusCode).toBe(404);
    expect((await api.get(pathOf(userId, 'dashboard '))).statusCode).toBe(404);
  });

  test.each([`${'a'.repeat(129)}/dashboard`, `user/${'a'.repeat(129)}`, '/dashboard'])(
    'with a name that nobody has is refused: %s',
    async (path) => {
      expect((await api.get(path)).json()).toMatchObject({ code: 'VALIDATION_ERROR' });
    },
  );
});

describe('a page that has not changed', () => {
  test('is answered with 304 and nothing else, to who has its ETag', async () => {
    const userId = await api.store();
    const first = await api.get(`${userId}/dashboard`);
    const tag = String(first.headers['etag']);
    expect(tag).toMatch(/^"[^"]+"$/);
    for (const known of [tag, `W/${tag}`]) {
      const again = await api.get(`${userId}/dashboard`, { 'if-none-match': known });
      expect(again.statusCode).toBe(304);
      expect(again.body).toBe('');
      expect(again.headers).toMatchObject({ etag: tag, 'cache-control': 'private, no-cache' });
    }
    expect((await api.get(`${userId}/dashboard`, { 'if-none-match': '"another"' })).statusCode).toBe(200);
  });

  test('has the same ETag from MySQL and from the copy; a changed one has another', async () => {
    const userId = await api.store();
    const tagOf = async () => (await api.get(`${userId}/dashboard`)).headers['etag'];
    const tag = await tagOf();
    const hits = await api.counted('hit');
    expect(await tagOf()).toBe(tag);
    expect(await api.counted('hit')).toBe(hits + 1);
    await api.change(userId, { content: JSON.stringify({ ...samplePage, title: 'Another' }) });
    await dropPageCopy(api.fleet.redis.client, userId, 'dashboard');
    expect(await tagOf()).not.toBe(tag);
  });

  test('is not what a problem is: the same one twice is answered in full', async () => {
    const headers = { 'x-request-id': 'same' };
    const first = await api.get('nobody/dashboard', headers);
    const again = await api.get('nobody/dashboard', {
      ...headers,
      'if-none-match': String(first.headers['etag']),
    });
    expect(again.statusCode).toBe(404);
    expect(again.json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('a page of another system that does not fit is not served, and its content is not logged', async () => {
  for (const content of [
    'no JSON: quokka',
    JSON.stringify({ html: '<b>quokka</b>' }),
    JSON.stringify({ title: 'quokka', blocks: [{ kind: 'paragraph', text: '<script>quokka</script>' }] }),
    JSON.stringify({ ...samplePage, padding: 'quokka'.repeat(20_000) }),
  ]) {
    const userId = await api.store({ content, generation_id: null });
    expect((await api.get(`${userId}/dashboard`)).statusCode).toBe(404);
    expect((await api.get(userId)).json()).toEqual({ pages: [], next_cursor: null });
  }
  const logged = api.fleet.logLines.join('');
  expect(logged).toContain('a row of page_cache holds no page: it is not served');
  expect(logged).not.toContain('quokka');
});

describe('the list', () => {
  test('what there is, in the order of the keys, without what it says', async () => {
    const userId = await api.store({ page_key: 'report' });
    await api.store({ user_id: userId, page_key: 'dashboard', degraded: 1, model_used: null });
    await api.store({ user_id: userId, page_key: 'old', expires_at: new Date(Date.now() - 1) });
    await api.store({ page_key: 'of somebody else' });
    const response = await api.get(userId);
    expect(response.headers).toMatchObject({
      'cache-control': 'private, no-cache',
      etag: expect.any(String),
    });
    const { pages } = response.json<{ pages: unknown[] }>();
    expect(pages).toEqual([
      {
        page_key: 'dashboard',
        title: samplePage.title,
        generated_at: expect.any(String),
        expires_at: expect.any(String),
        model_used: null,
        degraded: true,
      },
      expect.objectContaining({ page_key: 'report', model_used: 'bedrock-claude', degraded: false }),
    ]);
  });

  test('in parts, every page once', async () => {
    const userId = await api.store({ page_key: 'page 0' });
    for (let page = 1; page < 5; page += 1) await api.store({ user_id: userId, page_key: `page ${page}` });
    const keys: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const part = (await api.get(`${userId}?limit=2${query}`)).json<{
        pages: { page_key: string }[];
        next_cursor: string | null;
      }>();
      keys.push(...part.pages.map(({ page_key }) => page_key));
      cursor = part.next_cursor;
    }
    expect(keys).toEqual(['page 0', 'page 1', 'page 2', 'page 3', 'page 4']);
  });

  test('a user whom nobody knows has none', async () => {
    expect((await api.get('nobody')).json()).toEqual({ pages: [], next_cursor: null });
  });
});
