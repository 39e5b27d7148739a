import { z } from 'zod';
import { problemSchema } from '../../../shared/api-contract/problem-schema.ts';
import { insightListSchema } from '../../../shared/api-contract/insight-list.ts';
import { microsecondTimestampSchema } from '../../../shared/dynamodb/insight-item.ts';
import type { InsightTable } from '../../../shared/dynamodb/insight-table.ts';
import type { HttpServer } from '../../../shared/http/http-server.ts';

export interface InsightRouteDependencies {
  insightTable: Pick<InsightTable, 'list'>;
}

export function addInsightRoutes(server: HttpServer, { insightTable }: InsightRouteDependencies): void {
  server.get(
    '/v1/insights/:entity_id',
    {
      schema: {
        tags: ['insights'],
        summary: 'The insights about an entity, newest first',
        description: 'An entity that nobody knows has none: that is an empty list.',
        params: z.object({ entity_id: z.string().min(1).max(256) }),
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(100).default(20),
          cursor: microsecondTimestampSchema
            .optional()
            .meta({ description: '`next_cursor` of the page before' }),
        }),
        response: {
          200: insightListSchema,
          401: problemSchema,
          403: problemSchema,
          422: problemSchema,
          500: problemSchema,
          503: problemSchema,
        },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { insights, nextCursor } = await insightTable.list(request.params.entity_id, {
        limit,
        before: cursor,
      });
      return { insights, next_cursor: nextCursor };
    },
  );
}
