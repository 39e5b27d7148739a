import { z } from 'zod';
import { featureColumnSchema } from './feature-column.ts';

/** The file of a bundle that says what the others are. */
export const manifestFileName = 'manifest.json';

export const modelIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, {
  error: 'must be 1 to 64 lower-case letters, digits or hyphens, no hyphen first',
});

/**
 * A semantic version without build metadata: two versions that differ in it only would have the same precedence.
 * https://semver.org
 */
export const modelVersionSchema = z
  .string()
  .max(64)
  .regex(
    /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$/,
    { error: 'must be a semantic version such as 1.2.3' },
  );

export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { error: 'must be a SHA-256 as 64 lower-case hexadecimal digits' });

/** A file that lies directly in the bundle's folder. */
export const fileNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, {
    error: 'must be a plain file name: letters, digits, dots, hyphens, underscores',
  })
  .refine((name) => name !== manifestFileName, { error: 'must not be the manifest itself' });

/** No file of a bundle may have more bytes. */
export const maxFileBytes = 512 * 1024 * 1024;

/** A part of a whole. */
export const share = z.number().min(0).max(1);
export const text = (characters: number) => z.string().min(1).max(characters);
export const instant = z.iso.datetime({ error: 'must be a UTC time such as 2026-01-31T12:00:00Z' });

/** A golden row holds what a caller could send, wrong values too. */
export const goldenInputSchema = z.record(
  z.string(),
  z.union([z.number(), z.string(), z.boolean(), z.null()]),
);

/** What every model says of itself. */
export const commonShape = {
  schema_version: z.literal(1),
  model_id: modelIdSchema,
  version: modelVersionSchema,
  trained_at: instant,
  description: text(1_000),
  /** In the order in which the model takes them. */
  feature_columns: z.array(featureColumnSchema).min(1).max(10_000),
  /** Every file of the bundle but the manifest. */
  files: z.record(
    fileNameSchema,
    z.strictObject({ sha256: sha256Schema, bytes: z.int().positive().max(maxFileBytes) }),
  ),
  /** How well it did, by name, on rows that it had not seen. */
  metrics: z.record(text(128), z.number()),
  /** What it was trained on. */
  data: z.strictObject({
    name: text(500),
    url: z.url({ protocol: /^https?$/ }),
    licence: text(200),
    citation: text(1_000),
    rows: z.int().positive(),
  }),
};
