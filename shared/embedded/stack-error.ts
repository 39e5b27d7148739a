/** The embedded stack cannot run, for a reason that a person can mend: the message says what to do. */
export class StackError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
