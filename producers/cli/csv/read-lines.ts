import { StringDecoder } from 'node:string_decoder';

export interface Line {
  /** From 1, as editors count. */
  number: number;
  /** Undefined: the line is longer than any that could be right. */
  text: string | undefined;
}

const maxLineCharacters = 64 * 1024;

/** Cuts a stream of bytes into lines; a line without an end in sight takes no memory. */
export async function* readLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const decoder = new StringDecoder('utf8');
  let number = 1;
  let begun = '';
  let isTooLong = false;

  function take(part: string): Line {
    const text = isTooLong || begun.length + part.length > maxLineCharacters ? undefined : begun + part;
    begun = '';
    isTooLong = false;
    number += 1;
    return { number: number - 1, text: text?.endsWith('\r') ? text.slice(0, -1) : text };
  }

  for await (const chunk of bytes) {
    const text = decoder.write(chunk);
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      yield take(text.slice(from, end));
      from = end + 1;
    }
    if (begun.length + text.length - from > maxLineCharacters) isTooLong = true;
    begun = isTooLong ? '' : begun + text.slice(from);
  }
  const rest = decoder.end();
  if (begun !== '' || rest !== '' || isTooLong) yield take(rest);
}
