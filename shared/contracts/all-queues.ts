import { callTimePrediction } from './call-time-prediction.ts';
import { churnInsight } from './churn-insight.ts';
import { contentGeneration } from './content-generation.ts';
import type { QueueContract } from './define-queue.ts';
import { leadScoring } from './lead-scoring.ts';
import { modelServing } from './model-serving.ts';
import { patternDetection } from './pattern-detection.ts';

/** The catalogue: every queue of the fleet. A new queue is one more line here. */
export const allQueues: readonly QueueContract[] = [
  callTimePrediction,
  churnInsight,
  patternDetection,
  contentGeneration,
  leadScoring,
  modelServing,
];
