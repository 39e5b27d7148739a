import { createCircuit, type Circuit, type CircuitOptions } from '../../shared/circuit/create-circuit.ts';
import type { JobError } from '../../shared/errors/job-error.ts';
import type { ProblemError } from '../../shared/http/problem.ts';
import { toProblem } from '../../shared/http/to-problem.ts';
import { toSubmitProblem } from './to-submit-problem.ts';

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
  const problem = problemOf(error.cause instanceof Error ? error.cause : error) ?? problemOf(error);
  return problem === undefined || problem.status >= 500;
}

function problemOf(error: Error): ProblemError | undefined {
  return toSubmitProblem(error) ?? toProblem(error);
}
