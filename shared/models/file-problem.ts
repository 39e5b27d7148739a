import { createHash } from 'node:crypto';

/** As lower-case hexadecimal digits. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Why these bytes are not the file that a manifest states; `undefined` when they are.
 *
 * @param content `undefined`: there is no such file
 */
export function fileProblem(
  content: Uint8Array | undefined,
  stated: { sha256: string; bytes: number },
): string | undefined {
  if (content === undefined) return 'is missing';
  if (content.byteLength !== stated.bytes) {
    return `has ${content.byteLength} bytes, the manifest says ${stated.bytes}`;
  }
  const sha256 = sha256Of(content);
  return sha256 === stated.sha256
    ? undefined
    : `has the SHA-256 ${sha256}, the manifest says ${stated.sha256}`;
}
