import etag from '@fastify/etag';
import { z } from 'zod';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';
import type { PageReader } from '../page-reader.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import {
  pageListSchema,
  storedPageSchema,
  type StoredPage,
} from '../../../shared/api-contract/stored-page.ts';

export interface PageRouteDependencies {
  pages: PageReader;
}

const id = z.string().min(1).max(128);
const problems = {
  401: problemSchema,
  403: problemSchema,
  422: problemSchema,
  500: problemSchema,
  503: problemSchema,
};

const examplePage: StoredPage = {
  user_id: 'user_42',
  page_key: 'dashboard',
  title: 'Your morning dashboard',
  blocks: [
    {
      kind: 'paragraph',
      text: 'On weekdays you are mostly here between 9 and 10, and read the report next.',
    },
    { kind: 'facts', items: [{ label: 'Last opened', value: 'Fri 2026-11-20 09:12' }] },
    { kind: 'links', items: [{ label: 'Go on to the report', page_key: 'report' }] },
  ],
  generated_at: '2026-11-23T06:00:04.120Z',
  expires_at: '2026-11-24T06:00:04.120Z',
  model_used: 'bedrock-global.anthropic.claude-sonnet-4-6',
  degraded: false,
};

export async function addPageRoutes(server: HttpServer, { pages }: PageRouteDependencies): Promise<void> {
  await server.register(async (scope: HttpServer) => {
    // Only what is there can be unchanged (RFC 9110, 13.2.1); the plugin looks at no status.
    scope.addHook('onSend', async (request, reply) => {
      if (reply.statusCode !== 200) delete request.headers['if-none-match'];
    });
    await scope.register(etag);

    scope.get(
      '/v1/pages/:user_id',
      {
        schema: {
          tags: ['pages'],
          summary: 'The pages that are ready for a user, in the order of their keys',
          description: 'A user whom nobody knows has none: that is an empty list.',
          params: z.object({ user_id: id }),
          querystring: z.object({
            limit: z.coerce.number().int().min(1).max(100).default(50),
            cursor: id.optional().meta({ description: '`next_cursor` of the part before' }),
          }),
          response: {
            200: pageListSchema,
            ...problems,
          },
        },
      },
      async (request, reply) => {
        const { limit, cursor } = request.query;
        const list = await pages.list(request.params.user_id, { limit, after: cursor });
        reply.header('cache-control', cacheControl);
        return { pages: list.pages, next_cursor: list.nextCursor };
      },
    );

    scope.get(
      '/v1/pages/:user_id/:page_key',
      {
        schema: {
          tags: ['pages'],
          summary: 'A page that was made ahead of time',
          description:
            'With the `ETag` of an earlier answer as `If-None-Match`: 304 without a body while it has not changed. ' +
            'An answer may be a minute old.',
          params: z.object({ user_id: id, page_key: id }),
          response: {
            200: storedPageSchema.meta({ examples: [examplePage] }),
            304: z.void().meta({ description: 'The page has not changed' }),
            404: problemSchema,
            ...problems,
          },
        },
      },
      async (request, reply) => {
        const page = await pages.find(request.params.user_id, request.params.page_key);
        if (!page) throw new ProblemError('NOT_FOUND', 'There is no such page, or it has expired.');
        reply.header('cache-control', cacheControl);
        return page;
      },
    );
  });
}

/** Its user's alone, and asked about each time: pages change and are forgotten. */
const cacheControl = 'private, no-cache';
