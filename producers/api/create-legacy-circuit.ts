import { problemKinds } from '../../shared/api-contract/problem-schema.ts';
import { createCircuit, type Circuit, type CircuitOptions } from '../../shared/circuit/create-circuit.ts';
import type { JobError } from '../../shared/errors/job-error.ts';
import { toProblem } from './to-problem.ts';

/** Keeps the legacy route away from scoring while that keeps failing. What callers did wrong does not count. */
export function createLegacyCircuit(
  options: Pick<CircuitOptions, 'metrics' | 'log' | 'halfOpenAfterMs'>,
): Circuit {
  const { metrics, log, halfOpenAfterMs } = options;
  return createCircuit({
    name: 'advanced-ml-legacy',
    metrics,
    log,
    ...(halfOpenAfterMs === undefined ? {} : { halfOpenAfterMs }),
    isTheirs: isServerFault,
  });
}

function isServerFault(error: JobError): boolean {
  // What routes throw is not an error of a job, and is the cause of one here.
  const problem = toProblem(error.cause instanceof Error ? error.cause : error) ?? toProblem(error);
  return problem === undefined || problemKinds[problem.code].status >= 500;
}
