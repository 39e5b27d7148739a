/** The LIKE pattern for JSON text that holds a text somewhere, as it stands in JSON; wildcards in it mean themselves. */
export function patternInJson(text: string): string {
  const inJson = JSON.stringify(text).slice(1, -1);
  return `%${inJson.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
