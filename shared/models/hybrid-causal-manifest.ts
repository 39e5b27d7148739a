import { z } from 'zod';
import { commonShape, fileNameSchema, goldenInputSchema, share, text } from './manifest-fields.ts';

/** How far from 1 the probabilities of a golden case may add up: they are written with few digits. */
const sumTolerance = 1e-3;

const namedOutput = z.strictObject({ name: text(128), description: text(1_000) });

const outputsSchema = z
  .strictObject({
    /** What is changed, in the order of the network's columns: an effect is that of one unit more. */
    treatments: z.array(namedOutput).min(1).max(1_000),
    /** What the state may be, in the order of the network's columns. */
    regimes: z.array(namedOutput).min(2).max(1_000),
    uncertainty: z.strictObject({
      description: text(1_000),
      /** What it is the standard deviation of. */
      of: text(500),
      /** The share that mean ± z · sd ought to hold, z being the normal quantile of this level. */
      level: z.number().gt(0).lt(1),
      /** The share that it held of rows which the model had not seen. */
      realised_coverage: share,
      /** How many rows those were. */
      rows: z.int().positive(),
    }),
  })
  .superRefine((outputs, context) => {
    for (const kind of ['treatments', 'regimes'] as const) {
      const names = new Set<string>();
      for (const [place, { name }] of outputs[kind].entries()) {
        if (names.has(name)) {
          const path = [kind, place, 'name'];
          context.addIssue({
            code: 'custom',
            path,
            message: `must not be the name of another of the ${kind}`,
          });
        }
        names.add(name);
      }
    }
  });

/**
 * Answers, for each row, the effect of one unit more of each treatment, the probability of each regime, and a standard
 * deviation.
 */
export const hybridCausalSchema = z
  .strictObject({
    ...commonShape,
    model_type: z.literal('hybrid_causal_model'),
    /** One network with one input, `[rows, columns]`, and three outputs, all float32. */
    runtime: z.strictObject({
      file: fileNameSchema,
      input: text(128),
      outputs: z.strictObject({
        /** `[rows, treatments]` */
        causal_effects: text(128),
        /** `[rows, regimes]`; a row adds up to 1. */
        regime_probabilities: text(128),
        /** `[rows, 1]`, not negative. */
        uncertainty: text(128),
      }),
    }),
    outputs: outputsSchema,
    /** What the effects are effects on, with its unit, and how they were estimated. */
    effects: z.strictObject({ estimator: text(500), outcome: text(500) }),
    /** Inputs with the answer that they must get: a model that misses one is never served. */
    golden: z.strictObject({
      /** The largest difference that is allowed. */
      tolerance: z.number().positive().max(0.001),
      cases: z
        .array(
          z.strictObject({
            input: goldenInputSchema,
            expected: z.strictObject({
              causal_effects: z.array(z.number()),
              regime_probabilities: z.array(share),
              uncertainty: z.number().nonnegative(),
            }),
          }),
        )
        .min(1)
        .max(1_000),
    }),
  })
  .superRefine(({ runtime, outputs, golden }, context) => {
    const tensors = new Set<string>();
    for (const [field, tensor] of Object.entries(runtime.outputs)) {
      if (tensors.has(tensor)) {
        const path = ['runtime', 'outputs', field];
        context.addIssue({ code: 'custom', path, message: 'must not be another output too' });
      }
      tensors.add(tensor);
    }
    for (const [place, { expected }] of golden.cases.entries()) {
      const path = ['golden', 'cases', place, 'expected'];
      const { causal_effects: effects, regime_probabilities: probabilities } = expected;
      const { treatments, regimes } = outputs;
      if (effects.length !== treatments.length) {
        const message = `must have one number for each treatment: ${treatments.length}, not ${effects.length}`;
        context.addIssue({ code: 'custom', path: [...path, 'causal_effects'], message });
      }
      const sum = probabilities.reduce((total, each) => total + each, 0);
      let problem: string | undefined;
      if (probabilities.length !== regimes.length) {
        problem = `must have one number for each regime: ${regimes.length}, not ${probabilities.length}`;
      } else if (Math.abs(sum - 1) > sumTolerance) problem = `must add up to 1, not to ${sum}`;
      if (problem) {
        context.addIssue({ code: 'custom', path: [...path, 'regime_probabilities'], message: problem });
      }
    }
  });
