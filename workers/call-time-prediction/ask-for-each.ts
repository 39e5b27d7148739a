import pMap from 'p-map';
import type { OptimalCallTime } from '../../shared/contracts/call-time-prediction.ts';
import type { JobContext } from '../../shared/queue/job-context.ts';
import type { CallTimeModel } from './call-time-model.ts';
import type { EndpointQuestion } from '../../shared/sagemaker/sagemaker-endpoint.ts';

export interface AskForEachOptions {
  model: CallTimeModel;
  signal: AbortSignal;
  trace: JobContext['trace'];
  /** Looked at before each question; once it is false no more are put. */
  mayAsk: () => boolean;
  /** Does everything that follows from one answer. */
  keep: (phoneNumber: string, answer: OptimalCallTime) => Promise<void>;
}

/**
 * Puts each question, and keeps each answer as it arrives; a question without an answer is passed over. When the
 * signal is aborted it returns early, with whatever has been kept by then.
 *
 * @throws what `keep` threw first; no more questions are put after that, but those under way are waited for and
 *   their answers kept, because they are paid for
 */
export async function askForEach(
  questions: readonly EndpointQuestion[],
  options: AskForEachOptions,
): Promise<void> {
  const { model, signal, trace, mayAsk, keep } = options;
  let failure: { error: unknown } | undefined;

  async function ask(question: EndpointQuestion): Promise<void> {
    if (failure || signal.aborted || !mayAsk()) return;
    try {
      using pending = model.ask(question, signal);
      const answer = await trace('InvokeEndpoint', () => pending.answer);
      if (answer) await keep(question.phoneNumber, answer);
    } catch (error) {
      if (!signal.aborted) failure ??= { error };
    }
  }

  // Twice as many as there may be calls: while half of them keep their answers the others are being answered.
  // And no more than that, or a job of ten thousand contacts would stand in line before a job of one.
  await pMap(questions, ask, { concurrency: 2 * model.parallelism });
  if (failure) throw failure.error;
}
