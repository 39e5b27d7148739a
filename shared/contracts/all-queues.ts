import { callTimePrediction } from './call-time-prediction.ts';
import { churnInsight } from './churn-insight.ts';
import type { QueueContract } from './define-queue.ts';

/** The catalogue: every queue of the fleet. A new queue is one more line here. */
export const allQueues: readonly QueueContract[] = [callTimePrediction, churnInsight];
