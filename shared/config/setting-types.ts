import { z } from 'zod';

/** A whole number given as text. */
export function wholeNumber(minimum: number, maximum: number) {
  const rule = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: rule })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { error: rule });
}

/** A number given as text. */
export function numberBetween(minimum: number, maximum: number) {
  const error = `must be a number from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).min(minimum, { error }).max(maximum, { error });
}

/** `true` or `false`, also `1` or `0`. */
export const flag = z
  .enum(['true', 'false', '1', '0'], { error: 'must be true or false' })
  .transform((value) => value === 'true' || value === '1');

/** A URL with one of the given schemes, for example `['http:', 'https:']`. */
export function urlWithScheme(schemes: readonly string[]) {
  return z.string().refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol), {
    error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });
}

export const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, {
  error: 'must be the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots or hyphens',
});
