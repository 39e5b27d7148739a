/**
 * What has changed in a JSON schema in such a way that who knows the other one is misled, as paths into the schema. Only
 * one change misleads nobody: another optional field in an object that does not refuse unknown ones. Who knows the old
 * schema leaves it out, and who knows the new one can do without.
 */
export function schemaChanges(before: unknown, after: unknown, path = ''): string[] {
  if (!isObject(before) || !isObject(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [path || '/'];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [old, present] = [before[name], after[name]];
    const at = `${path}/${name}`;
    if (name === 'required') return sameNames(old, present) ? [] : [at];
    if (name !== 'properties' || !isObject(old) || !isObject(present)) return schemaChanges(old, present, at);
    const refusesUnknown = before['additionalProperties'] === false;
    return [...new Set([...Object.keys(old), ...Object.keys(present)])].flatMap((field) => {
      const isAdded = !(field in old) && !refusesUnknown;
      return isAdded ? [] : schemaChanges(old[field], present[field], `${at}/${field}`);
    });
  });
}

/** Arrays too: what stands where counts there. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sameNames(before: unknown, after: unknown): boolean {
  const sorted = (names: unknown) => JSON.stringify(Array.isArray(names) ? names.toSorted() : []);
  return sorted(before) === sorted(after);
}
