/** Predictions of one range of stated confidence. */
export interface Share {
  count: number;
  /** Undefined where there is no prediction. */
  meanStated: number | undefined;
  realised: number | undefined;
}

/** Counts predictions by the confidence with which they were stated. */
export interface Tally {
  add(stated: number, predictions: number, cameTrue: number): void;
  /** Of those stated at `lower` and more, and below `upper`. */
  between(lower: number, upper?: number): Share;
}

export function createTally(): Tally {
  const entries: { stated: number; predictions: number; cameTrue: number }[] = [];

  return {
    add: (stated, predictions, cameTrue) => {
      if (predictions > 0) entries.push({ stated, predictions, cameTrue });
    },
    between: (lower, upper = Infinity) => {
      let [count, sumStated, sumTrue] = [0, 0, 0];
      for (const { stated, predictions, cameTrue } of entries) {
        if (stated < lower || stated >= upper) continue;
        count += predictions;
        sumStated += stated * predictions;
        sumTrue += cameTrue;
      }
      return count === 0
        ? { count, meanStated: undefined, realised: undefined }
        : { count, meanStated: sumStated / count, realised: sumTrue / count };
    },
  };
}
