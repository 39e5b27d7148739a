import { z } from 'zod';
import { pageDocumentSchema } from '../pages/page-document.ts';

/** A page as products read it. */
export const storedPageSchema = z
  .object({
    user_id: z.string(),
    page_key: z.string(),
    ...pageDocumentSchema.shape,
    generated_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    model_used: z.string().nullable().meta({
      description:
        'bedrock-<model>, openai-<model>, openai-<model>-fallback or baseline-<version>; null for pages of other systems',
    }),
    degraded: z.boolean().meta({ description: 'Whether a rule made it because no model could' }),
  })
  .meta({
    id: 'StoredPage',
    description: 'A page that was made ahead of time: blocks of plain text, safe to show',
  });

export type StoredPage = z.output<typeof storedPageSchema>;

const { page_key, title, generated_at, expires_at, model_used, degraded } = storedPageSchema.shape;

/** A page in a list: what it is, without what it says. */
export const pageSummarySchema = z.object({
  page_key,
  title,
  generated_at,
  expires_at,
  model_used,
  degraded,
});

export type PageSummary = z.output<typeof pageSummarySchema>;

export const pageListSchema = z.object({
  pages: z.array(pageSummarySchema),
  next_cursor: z.string().nullable(),
});
