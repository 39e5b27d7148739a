/**
 * Data for a prompt: JSON on one line that holds no `<`, `>` or `&`, no line separator and nothing invisible (controls,
 * direction marks, tags). They are written as JSON's own escapes, so it still parses back to the same values, and no
 * value can end the fence that it stands in.
 */
export function fencedJson(data: object): string {
  return JSON.stringify(data).replaceAll(/[<>&]|\p{C}|(?! )\p{Z}/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => String.raw`\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
