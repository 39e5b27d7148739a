const rowsPerStatement = 500;

/**
 * Deletes rows by parts, so that no statement holds many locks. Answers how many there were.
 *
 * @param deletePart deletes at most so many rows and answers how many it deleted
 */
export async function deleteInParts(deletePart: (limit: number) => Promise<bigint>): Promise<number> {
  let deleted = 0;
  for (let part = rowsPerStatement; part === rowsPerStatement;) {
    part = Number(await deletePart(rowsPerStatement));
    deleted += part;
  }
  return deleted;
}
