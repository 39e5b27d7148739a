import { z } from 'zod';
import { binaryClassifierSchema, type confidenceMethods } from './binary-classifier-manifest.ts';
import { hybridCausalSchema } from './hybrid-causal-manifest.ts';

/** One member for each kind of model. */
export const manifestSchema = z
  .discriminatedUnion('model_type', [binaryClassifierSchema, hybridCausalSchema])
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
export type HybridCausalModel = z.output<typeof hybridCausalSchema>;
export type Calibration = BinaryClassifier['calibration'];
export type ConfidenceMethod = (typeof confidenceMethods)[number];
