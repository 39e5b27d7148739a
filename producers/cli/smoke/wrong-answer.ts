/** What came back is not what the contract says, in words for people; holds no key and nothing that was sent. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
  /** What to do about it. */
  readonly mend: string;

  constructor(finding: string, mend: string, options?: ErrorOptions) {
    super(finding, options);
    this.mend = mend;
  }
}

/** Nobody answered, or something that is no Presage. */
export class NoAnswer extends WrongAnswer {}
