import { nameSchema } from '../activity/activity-event.ts';

/** As an outcome names a lead too. */
const leadIdSchema = nameSchema(128);

/** What a lead's id must be, in words. */
export const leadIdRule =
  'must be 1 to 128 characters, without control characters and without a space at either end';

export function isLeadId(text: string): boolean {
  return leadIdSchema.safeParse(text).success;
}
