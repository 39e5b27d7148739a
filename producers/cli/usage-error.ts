/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was understood and did not succeed: exit code 1, with this as all there is to say. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}
