import type { PrepareWorker } from '../shared/queue/worker-clients.ts';

/** Each queue's worker, loaded only in the processes that run it. */
export const allWorkers: Readonly<Record<string, () => Promise<{ prepareWorker: PrepareWorker }>>> = {
  'call-time-prediction': () => import('./call-time-prediction/main.ts'),
  'churn-insight': () => import('./churn-insight/main.ts'),
  'pattern-detection': () => import('./pattern-detection/main.ts'),
  'content-generation': () => import('./content-generation/main.ts'),
  'lead-scoring': () => import('./lead-scoring/main.ts'),
  'model-serving': () => import('./model-serving/main.ts'),
};
