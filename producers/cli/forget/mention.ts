/** What stands where something of a forgotten person stood. */
export const forgotten = '[forgotten]';

/** Fields that Presage writes or knows every value of: a short id that stands in them is none. */
const namesNobody: ReadonlySet<string> = new Set([
  'alert_type',
  'prediction_type',
  'model_used',
  'prompt_version',
  'job_id',
]);

/** Says when, and not who: the digits of a short id are none there. */
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$/;

/** Whether a text can mention anybody. */
function canMention(text: string, field: string | undefined): boolean {
  return !(field !== undefined && namesNobody.has(field)) && !instant.test(text);
}

/** The text with every mention replaced. */
export function withoutMentions(text: string, mention: RegExp, field?: string): string {
  return canMention(text, field) ? text.replaceAll(mention, forgotten) : text;
}

/** Whether a value holds a mention, in a text or in the name of a field, however deep. */
export function mentions(value: unknown, mention: RegExp, field?: string): boolean {
  // A search, because a test of a global pattern goes on from where the last one ended.
  if (typeof value === 'string') return canMention(value, field) && value.search(mention) !== -1;
  if (Array.isArray(value)) return value.some((item) => mentions(item, mention, field));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, content]) => mentions(name, mention) || mentions(content, mention, name),
  );
}
