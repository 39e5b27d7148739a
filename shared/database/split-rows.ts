/** MariaDB takes a statement of up to 16 MiB; a character is up to 3 bytes there, and a quote 2. */
const maxCharactersPerStatement = 2 * 1024 * 1024;

/** The rows in their order, in parts that one statement each may insert; a larger single row goes alone. */
export function splitRows<Row>(
  rows: readonly Row[],
  { maxRows, charactersOf }: { maxRows: number; charactersOf: (row: Row) => number },
): Row[][] {
  const parts: Row[][] = [];
  let part: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    const more = charactersOf(row);
    const isFull = part.length === maxRows || characters + more > maxCharactersPerStatement;
    if (isFull && part.length > 0) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    part.push(row);
    characters += more;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
