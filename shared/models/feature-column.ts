import { z } from 'zod';

/** How a column's values were spread over the training rows: what live values are compared with. */
const countsSchema = z.array(z.int().nonnegative()).min(1).max(10_000);

/**
 * A histogram of numbers. A value belongs to the bin whose place is the number of inner edges that are not above it;
 * the first and the last bin are open.
 */
export const numericHistogramSchema = z
  .strictObject({ inner_edges: z.array(z.number()).max(1_000), counts: countsSchema })
  .superRefine(({ inner_edges: edges, counts }, context) => {
    if (counts.length !== edges.length + 1) {
      context.addIssue({
        code: 'custom',
        path: ['counts'],
        message: `must have one number more than there are inner edges: ${edges.length + 1}, not ${counts.length}`,
      });
    }
    if (edges.some((edge, place) => place > 0 && edge <= (edges[place - 1] ?? edge))) {
      context.addIssue({ code: 'custom', path: ['inner_edges'], message: 'must ascend' });
    }
  });

const nameSchema = z.string().min(1).max(128);
const categorySchema = z.string().min(1).max(256);

/**
 * What stands in for a value that is absent, null, empty, not finite or of another type: a value of the manifest's,
 * the mean of the training rows, NaN (the model itself knows what to do), or nothing: the row is refused.
 */
const missingNumberSchema = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal('constant'), value: z.number() }),
  z.strictObject({ strategy: z.literal('mean') }),
  z.strictObject({ strategy: z.literal('nan') }),
  z.strictObject({ strategy: z.literal('reject') }),
]);

const missingCategorySchema = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal('constant'), value: categorySchema }),
  z.strictObject({ strategy: z.literal('nan') }),
  z.strictObject({ strategy: z.literal('reject') }),
]);

const numericColumnSchema = z
  .strictObject({
    name: nameSchema,
    type: z.literal('numeric'),
    /** The least, the greatest and the average value of the training rows. */
    min: z.number(),
    max: z.number(),
    mean: z.number(),
    missing: missingNumberSchema,
    /** What becomes of a number below `min` or above `max`: moved to it, left, or as if it were missing. */
    out_of_range: z.strictObject({ strategy: z.enum(['clip', 'keep', 'missing']) }),
    histogram: numericHistogramSchema,
  })
  .superRefine(({ min, max, mean }, context) => {
    if (min > max) context.addIssue({ code: 'custom', path: ['min'], message: 'must not be above max' });
    else if (mean < min || mean > max) {
      context.addIssue({ code: 'custom', path: ['mean'], message: 'must be from min to max' });
    }
  });

const categoricalColumnSchema = z
  .strictObject({
    name: nameSchema,
    type: z.literal('categorical'),
    /** The model sees a category as its place in here, from 0. */
    vocabulary: z.array(categorySchema).min(1).max(10_000),
    missing: missingCategorySchema,
    /** What becomes of a text that the vocabulary lacks: a category of it, or as if it were missing. */
    unknown_category: z.discriminatedUnion('strategy', [
      z.strictObject({ strategy: z.literal('constant'), value: categorySchema }),
      z.strictObject({ strategy: z.literal('missing') }),
    ]),
    /** One count for each category, in the order of the vocabulary. */
    histogram: z.strictObject({ counts: countsSchema }),
  })
  .superRefine(({ vocabulary, missing, unknown_category: unknown, histogram }, context) => {
    const known = new Set(vocabulary);
    if (known.size < vocabulary.length) {
      context.addIssue({ code: 'custom', path: ['vocabulary'], message: 'must not name a category twice' });
    }
    for (const [field, stated] of Object.entries({ missing, unknown_category: unknown })) {
      if (stated.strategy === 'constant' && !known.has(stated.value)) {
        context.addIssue({ code: 'custom', path: [field, 'value'], message: 'must be in the vocabulary' });
      }
    }
    if (histogram.counts.length !== vocabulary.length) {
      context.addIssue({
        code: 'custom',
        path: ['histogram', 'counts'],
        message: `must have one number for each category: ${vocabulary.length}, not ${histogram.counts.length}`,
      });
    }
  });

/** One input of a model: what it may be, what stands in for what it may not, and how it was spread in training. */
export const featureColumnSchema = z.discriminatedUnion('type', [
  numericColumnSchema,
  categoricalColumnSchema,
]);

export type FeatureColumn = z.output<typeof featureColumnSchema>;
export type NumericColumn = Extract<FeatureColumn, { type: 'numeric' }>;
export type CategoricalColumn = Extract<FeatureColumn, { type: 'categorical' }>;
export type NumericHistogram = z.output<typeof numericHistogramSchema>;
