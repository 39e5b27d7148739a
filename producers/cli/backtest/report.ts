import { queueConfidence, type Replay } from './replay-log.ts';
import type { LogLines } from './read-log.ts';
import type { Share } from './tally.ts';

interface Stated {
  count: number;
  mean_stated: number | null;
  realised: number | null;
}

/** What `--json` prints. Shares have four digits. */
export interface BacktestReport {
  users: number;
  cut_offs: number;
  evaluations: number;
  predictions: number;
  reliability: ({ lower: number; upper: number } & Stated)[];
  stated_at_least: ({ threshold: number } & Stated)[];
  /** Share of the users looked at who got at least one prediction from which a page would be made. */
  coverage: { threshold: number; users: number; share: number };
  /** A detector that expects the same activity at last week's weekday and hour. */
  control: { predictions: number; came_true: number; precision: number | null };
  /** What the same patterns would have stated if the days that chose them had been believed. */
  unchecked: ({ threshold: number } & Stated)[];
  lines: LogLines;
}

const thresholds = [0.5, 0.6, 0.7, 0.8] as const;

export function reportOf(replay: Replay, users: number, lines: LogLines): BacktestReport {
  const { verified, unchecked, control } = replay;
  const reliability = Array.from({ length: 10 }, (_nothing, tenth) => {
    const [lower, upper] = [tenth / 10, (tenth + 1) / 10];
    // The last tenth holds certainty too.
    return { lower, upper, ...stated(verified.between(lower, tenth === 9 ? Infinity : upper)) };
  });
  return {
    users,
    cut_offs: replay.cutOffs,
    evaluations: replay.evaluations,
    predictions: verified.between(0).count,
    reliability,
    stated_at_least: thresholds.map((threshold) => ({ threshold, ...stated(verified.between(threshold)) })),
    coverage: {
      threshold: queueConfidence,
      users: replay.usersCovered,
      share: rounded(replay.usersCovered / Math.max(1, replay.usersEvaluated)),
    },
    control: {
      predictions: control.predictions,
      came_true: control.cameTrue,
      precision: control.predictions === 0 ? null : rounded(control.cameTrue / control.predictions),
    },
    unchecked: thresholds.map((threshold) => ({ threshold, ...stated(unchecked.between(threshold)) })),
    lines,
  };
}

function stated({ count, meanStated, realised }: Share): Stated {
  return {
    count,
    mean_stated: meanStated === undefined ? null : rounded(meanStated),
    realised: realised === undefined ? null : rounded(realised),
  };
}

function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}
