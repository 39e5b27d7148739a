import { z } from 'zod';
import { numericHistogramSchema } from './feature-column.ts';
import { commonShape, fileNameSchema, goldenInputSchema, instant, share, text } from './manifest-fields.ts';

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
export const binaryClassifierSchema = z
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
