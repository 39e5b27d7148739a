export interface FetchedText {
  status: number;
  text: string;
}

/** Gets what is at an address. Rejects when nothing, or too much, comes in time. */
export type FetchText = (url: URL) => Promise<FetchedText>;

const maxBytes = 64 * 1024;

/** One GET request of at most 64 KiB. A redirection is not followed: it is an answer like any other. */
export async function fetchText(url: URL, { timeoutMs = 5_000 } = {}): Promise<FetchedText> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  await response.body?.pipeTo(
    new WritableStream<Uint8Array>({
      write(part) {
        bytes += part.byteLength;
        // Ends the connection, too.
        if (bytes > maxBytes) throw new RangeError(`the answer is larger than ${maxBytes} bytes`);
        parts.push(part);
      },
    }),
  );
  return { status: response.status, text: Buffer.concat(parts).toString('utf8') };
}
