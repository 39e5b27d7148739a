import { z } from 'zod';

/**
 * What a process has told of its model: `ready` and `degraded` answer, the latter because the version that is to
 * answer could not be loaded; `not_ready` cannot.
 */
export const servedModelReportSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.enum(['ready', 'degraded']),
    model_id: z.string(),
    version: z.string(),
    /** Of the manifest. */
    sha256: z.string(),
    n_features: z.int(),
    loaded_at: z.iso.datetime(),
    /** When it was told. */
    at: z.iso.datetime(),
  }),
  z.object({ status: z.literal('not_ready'), model_id: z.string(), at: z.iso.datetime() }),
]);

export type ServedModelReport = z.output<typeof servedModelReportSchema>;

/** How often a process tells of its model. */
export const reportEveryMs = 10_000;

/** A process that has not told of its model for so long is gone. */
const staleAfterMs = 30_000;

/** A report that is stored; `undefined` when it is too old or cannot be read. */
export function parseFreshReport(text: string, nowMs: number): ServedModelReport | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data: report } = servedModelReportSchema.safeParse(stored);
  return report && nowMs - Date.parse(report.at) < staleAfterMs ? report : undefined;
}
