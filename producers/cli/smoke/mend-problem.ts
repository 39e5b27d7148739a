import type { Problem, ProblemCode } from '../../../shared/api-contract/problem-schema.ts';

const mends: Partial<Record<ProblemCode, string>> = {
  FORBIDDEN: 'Give a key with the scopes produce and read.',
  QUEUE_FULL: 'Wait until the workers have caught up (presage queues list), or start more of them.',
  RATE_LIMITED: 'Wait a minute, or raise API_REQUESTS_PER_MINUTE.',
  STORE_UNAVAILABLE: 'Ask presage doctor, on a machine with the configuration of the fleet.',
  CIRCUIT_OPEN: 'Mend what is wrong with scoring; ten seconds later the route tries again.',
  MODEL_NOT_READY:
    'Does its worker (lead-scoring, model-serving) run, and is a version promoted? presage models list; presage models promote ID VERSION.',
  STILL_QUEUED:
    'Does a worker lead-scoring run, and is the queue neither paused nor behind? presage queues list.',
};

/** What to do about a problem that a fleet answered. */
export function mendProblem({ code, job_id, request_id }: Problem): string {
  const known = Object.entries(mends).find(([name]) => name === code)?.[1];
  if (known !== undefined) return known;
  return job_id === undefined
    ? `The logs of what answered have the request id ${request_id}.`
    : `presage jobs show ${job_id} tells why.`;
}
