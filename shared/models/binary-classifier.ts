import { calibrate } from './calibrate.ts';
import { confidence } from './confidence.ts';
import type { ModelKind } from './model-kind.ts';

/** The members' log-odds are averaged, calibrated, and judged by the manifest's confidence method. */
export const binaryClassifier: ModelKind<'binary_classifier'> = {
  outputs: ({ runtime }) => [{ name: runtime.output, width: runtime.members }],
  reader({ calibration, confidence: { method } }) {
    const toProbability = calibrate(calibration);
    return ([members]) => {
      if (!members) return undefined;
      const logOdds = members.reduce((sum, value) => sum + value, 0) / members.length;
      if (!Number.isFinite(logOdds)) return undefined;
      const probability = toProbability(logOdds);
      const memberProbabilities = Array.from(members, toProbability);
      return {
        type: 'binary_classifier',
        probability,
        confidence: confidence(method, { probability, memberProbabilities }),
        logOdds,
      };
    };
  },
  golden: ({ golden }) => golden.cases.map(({ expected }) => [['probability', expected.probability]]),
  figures: ({ probability }) => [['probability', probability]],
};
