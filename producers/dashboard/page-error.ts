/** A request that gets a page which says why there is no other. Its message is for the operator. */
export class PageError extends Error {
  override readonly name = 'PageError';
  readonly status: 400 | 404 | 405 | 409;

  constructor(status: 400 | 404 | 405 | 409, message: string) {
    super(message);
    this.status = status;
  }
}
