/** What stands where something of a forgotten person stood. */
export const forgotten = '[forgotten]';

/** Fields that Presage writes or knows every value of: a short id that stands in them is none. */
const namesNobody: ReadonlySet<string> = new Set([
  'alert_type',
  'prediction_type',
  'model_used',
  'prompt_version',
  'job_id',
  'model_id',
  'model_version',
  'model_sha256',
  'schema_version',
]);

/** Fields of lead ids: an id that holds another one is somebody else's. */
const fieldsOfLeadIds: ReadonlySet<string> = new Set(['lead_id', 'lead_ids']);

/** Says when, and not who: the digits of a short id are none there. */
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$/;

/** Whether a text can mention anybody. */
function canMention(text: string, field: string | undefined): boolean {
  return !(field !== undefined && namesNobody.has(field)) && !instant.test(text);
}

/** Finds an id, but not where it is part of a longer one. */
export function mentionOf(id: string): RegExp {
  const literally = id.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return new RegExp(`(?<![A-Za-z0-9_-])${literally}(?![A-Za-z0-9_-])`, 'g');
}

function isLeadId(field: string | undefined): boolean {
  return field !== undefined && fieldsOfLeadIds.has(field);
}

function isNothingElse(text: string, mention: RegExp): boolean {
  return text.match(mention)?.[0] === text;
}

/**
 * The text with every mention replaced.
 *
 * @param field the name under which it stands, in a list too
 */
export function withoutMentions(text: string, mention: RegExp, field?: string): string {
  if (isLeadId(field)) return isNothingElse(text, mention) ? forgotten : text;
  return canMention(text, field) ? text.replaceAll(mention, forgotten) : text;
}

/** Whether a value holds a mention, in a text or in the name of a field, however deep. */
export function mentions(value: unknown, mention: RegExp, field?: string): boolean {
  if (typeof value === 'string' && isLeadId(field)) return isNothingElse(value, mention);
  // A search, because a test of a global pattern goes on from where the last one ended.
  if (typeof value === 'string') return canMention(value, field) && value.search(mention) !== -1;
  if (Array.isArray(value)) return value.some((item) => mentions(item, mention, field));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, content]) => mentions(name, mention) || mentions(content, mention, name),
  );
}
