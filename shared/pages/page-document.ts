import { z } from 'zod';
import { isPlainText, onOneLine } from './plain-text.ts';

/** Of the whole document as JSON in UTF-8. */
export const maximumPageBytes = 16 * 1024;

function plainText(maxCharacters: number) {
  return z
    .string()
    .overwrite(onOneLine)
    .min(1)
    .max(maxCharacters)
    .refine(isPlainText, { error: 'must be plain text: no markup, no addresses' });
}

const blockSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('heading'), text: plainText(120) }),
  z.object({ kind: z.literal('paragraph'), text: plainText(1_000) }),
  z.object({ kind: z.literal('list'), items: z.array(plainText(200)).min(1).max(8) }),
  z.object({
    kind: z.literal('facts'),
    items: z
      .array(z.object({ label: plainText(60), value: plainText(120) }))
      .min(1)
      .max(10),
  }),
  z.object({
    kind: z.literal('links'),
    items: z
      .array(z.object({ label: plainText(60), page_key: plainText(128) }))
      .min(1)
      .max(8),
  }),
]);

/**
 * A page: blocks of known kinds, of plain text. Products may show it as it is, as text or as HTML or Markdown. Texts
 * are put on one line; what is more than text is refused.
 */
export const pageDocumentSchema = z
  .object({ title: plainText(120), blocks: z.array(blockSchema).min(1).max(12) })
  .refine(({ blocks }) => blocks.some(({ kind }) => kind !== 'links'), {
    path: ['blocks'],
    error: 'must hold more than links',
  })
  .refine((page) => Buffer.byteLength(JSON.stringify(page)) <= maximumPageBytes, {
    error: `must be at most ${maximumPageBytes} bytes of JSON`,
  });

export type PageDocument = z.output<typeof pageDocumentSchema>;
export type PageBlock = PageDocument['blocks'][number];
