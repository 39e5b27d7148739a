import type { ExecutionSettings } from '../../shared/config/execution-settings.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import type { ServedModels } from './open-served-models.ts';
import type { TaskCallback } from './task-callback.ts';

/** What a state machine is told of the start, on one line of standard output and as the output of its state. */
export interface StartReport {
  status: 'ready' | 'failed';
  execution_id: string | null;
  execution_start_time: string | null;
  /** Where the models answer; `null` when the start did not get so far. */
  url: string | null;
  models: {
    model_id: string;
    /** `null`: none could be loaded. */
    version: string | null;
    sha256: string | null;
    /** Why not the version that should answer. */
    problem: string | null;
  }[];
  /** Why the start failed. */
  problem: string | null;
}

export interface ReportStartOptions {
  execution: Pick<ExecutionSettings, 'executionId' | 'executionStartTime'>;
  /** `undefined`: no state waits for it. */
  callback: TaskCallback | undefined;
  /** Writes to standard output. */
  write: (text: string) => void;
  log: Logger;
}

interface StartedServing {
  models: Pick<ServedModels, 'list' | 'isKnown'>;
  url: string;
}

/**
 * Starts, and tells the state machine that started this process what came of it: every model of which a version was
 * promoted must have been loaded, which includes its checksums and its golden inputs.
 *
 * @throws what `start` throws, which the state is told as `START_FAILED`; JobError `permanent` with the code
 *   `MODELS_NOT_READY` when a model was not loaded, or there is none; `TASK_CALLBACK_FAILED`
 */
export async function reportStart<Started extends StartedServing>(
  start: () => Promise<Started>,
  { execution, callback, write, log }: ReportStartOptions,
): Promise<Started> {
  function report(outcome: Pick<StartReport, 'url' | 'models' | 'problem'>): StartReport {
    const told: StartReport = {
      status: outcome.problem === null ? 'ready' : 'failed',
      execution_id: execution.executionId ?? null,
      execution_start_time: execution.executionStartTime ?? null,
      ...outcome,
    };
    write(`${JSON.stringify(told)}\n`);
    return told;
  }
  function noteWhetherWaited(didWait: boolean | undefined): void {
    if (didWait === false) log.warn('no state of the state machine waits for this start any more');
  }

  let started: Started;
  try {
    started = await start();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    report({ url: null, models: [], problem: message });
    try {
      noteWhetherWaited(await callback?.fail({ code: 'START_FAILED', message }));
    } catch (callbackError) {
      // What ends the process is why it could not start.
      log.error({ err: callbackError }, 'the state machine could not be told that the start failed');
    }
    throw error;
  }
  const { models, url } = started;
  const promoted = models.list().filter(([, { served }]) => served.isAssigned());
  const loaded = promoted.map(([model_id, { served }]) => {
    const current = served.current();
    return {
      model_id,
      version: current?.manifest.version ?? null,
      sha256: current?.sha256 ?? null,
      problem: served.problem() ?? null,
    };
  });
  const failure = failureOf(models.isKnown(), loaded);
  const told = report({ url, models: loaded, problem: failure ?? null });
  if (failure === undefined) {
    noteWhetherWaited(await callback?.succeed(told));
    return started;
  }
  noteWhetherWaited(await callback?.fail({ code: 'MODELS_NOT_READY', message: failure }));
  throw new JobError('permanent', failure, { code: 'MODELS_NOT_READY' });
}

function failureOf(isKnown: boolean, models: StartReport['models']): string | undefined {
  if (!isKnown) return 'The registry of models could not be read';
  if (models.length === 0) return 'No version of a model was promoted';
  const failed = models.filter(({ version, problem }) => version === null || problem !== null);
  if (failed.length === 0) return undefined;
  return failed.map(({ model_id, problem }) => `${model_id}: ${problem ?? 'is not loaded'}`).join('; ');
}
