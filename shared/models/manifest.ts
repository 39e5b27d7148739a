import { z } from 'zod';
import { featureColumnSchema, numericHistogramSchema } from './feature-column.ts';

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
const fileNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, {
    error: 'must be a plain file name: letters, digits, dots, hyphens, underscores',
  })
  .refine((name) => name !== manifestFileName, { error: 'must not be the manifest itself' });

/** No file of a bundle may have more bytes. */
export const maxFileBytes = 512 * 1024 * 1024;

const share = z.number().min(0).max(1);
const text = (characters: number) => z.string().min(1).max(characters);
const instant = z.iso.datetime({ error: 'must be a UTC time such as 2026-01-31T12:00:00Z' });

/** A golden row holds what a caller could send, wrong values too. */
const goldenInputSchema = z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]));

/** What every model says of itself. */
const commonShape = {
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

/** From the mean of the log-odds, x, to a probability. Both rise with x. */
const calibrationSchema = z
  .discriminatedUnion('method', [
    z.strictObject({
      /** Platt's: 1 / (1 + exp(-(slope · x + intercept))). */
      method: z.literal('sigmoid'),
      parameters: z.strictObject({ slope: z.number().positive(), intercept: z.number() }),
      fitted_at: instant,
      calibration_error: share,
    }),
    z.strictObject({
      /** Straight lines between the knots, and the outermost probability beyond them. */
      method: z.literal('isotonic'),
      parameters: z.strictObject({
        knots: z
          .array(z.strictObject({ log_odds: z.number(), probability: share }))
          .min(2)
          .max(10_000),
      }),
      fitted_at: instant,
      calibration_error: share,
    }),
  ])
  .superRefine((calibration, context) => {
    if (calibration.method !== 'isotonic') return;
    const { knots } = calibration.parameters;
    const isWrong = knots.some((knot, place) => {
      const before = knots[place - 1];
      return before && (knot.log_odds <= before.log_odds || knot.probability < before.probability);
    });
    if (isWrong) {
      context.addIssue({
        code: 'custom',
        path: ['parameters', 'knots'],
        message: 'must ascend in log_odds and must not descend in probability',
      });
    }
  });

/** How sure the model is of one answer; the formulas are with the code that computes them. */
export const confidenceMethods = ['class_probability', 'margin', 'entropy', 'agreement'] as const;

/** Answers one calibrated probability for each row. */
const binaryClassifierSchema = z
  .strictObject({
    ...commonShape,
    model_type: z.literal('binary_classifier'),
    /** Input `[rows, columns]` and output `[rows, members]`, both float32; the members' log-odds are averaged. */
    runtime: z.strictObject({
      file: fileNameSchema,
      input: text(128),
      output: text(128),
      combine: z.literal('mean'),
      members: z.int().min(1).max(1_000),
    }),
    outputs: z.tuple([
      z.strictObject({
        name: z.literal('probability'),
        description: text(1_000),
        min: z.literal(0),
        max: z.literal(1),
      }),
    ]),
    calibration: calibrationSchema,
    confidence: z.strictObject({ method: z.enum(confidenceMethods) }),
    /** Of the calibrated probability, on rows that the model had not seen. */
    score_histogram: numericHistogramSchema,
    /** What was stated against what came true, in bins of the stated probability. */
    reliability: z
      .array(
        z.strictObject({
          lower: share,
          upper: share,
          count: z.int().positive(),
          mean_stated: share,
          realised: share,
        }),
      )
      .max(1_000),
    /** Inputs with the answer that they must get: a model that misses one is never served. */
    golden: z.strictObject({
      /** The largest difference that is allowed. */
      tolerance: z.number().positive().max(0.001),
      cases: z
        .array(z.strictObject({ input: goldenInputSchema, expected: z.strictObject({ probability: share }) }))
        .min(1)
        .max(1_000),
    }),
  })
  .superRefine(({ runtime, confidence }, context) => {
    if (confidence.method === 'agreement' && runtime.members < 2) {
      context.addIssue({
        code: 'custom',
        path: ['confidence', 'method'],
        message: 'agreement needs at least two members',
      });
    }
  });

/** One member for each kind of model. */
export const manifestSchema = z
  .discriminatedUnion('model_type', [binaryClassifierSchema])
  .superRefine(({ feature_columns: columns, files, runtime, golden }, context) => {
    const names = new Set<string>();
    for (const [place, { name }] of columns.entries()) {
      if (names.has(name)) {
        const path = ['feature_columns', place, 'name'];
        context.addIssue({ code: 'custom', path, message: 'must not be the name of another column too' });
      }
      names.add(name);
    }
    if (!Object.hasOwn(files, runtime.file)) {
      context.addIssue({ code: 'custom', path: ['runtime', 'file'], message: 'must be one of the files' });
    }
    for (const [place, { input }] of golden.cases.entries()) {
      for (const name of Object.keys(input).filter((each) => !names.has(each))) {
        const path = ['golden', 'cases', place, 'input', name];
        context.addIssue({ code: 'custom', path, message: 'must be a column of the model' });
      }
    }
  });

/** What a model is: its inputs, outputs, files, and how it is known to work. */
export type Manifest = z.output<typeof manifestSchema>;
export type BinaryClassifier = z.output<typeof binaryClassifierSchema>;
export type Calibration = BinaryClassifier['calibration'];
export type ConfidenceMethod = (typeof confidenceMethods)[number];
