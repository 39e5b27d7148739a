import pLimit from 'p-limit';
import { createCircuit } from '../../shared/circuit/create-circuit.ts';
import type { OptimalCallTime } from '../../shared/contracts/call-time-prediction.ts';
import { classify } from '../../shared/errors/classify.ts';
import type { Logger } from '../../shared/telemetry/create-logger.ts';
import type { Metrics } from '../../shared/telemetry/create-metrics.ts';
import type { CallTimeEndpoint, EndpointQuestion } from '../../shared/sagemaker/sagemaker-endpoint.ts';
import { unlessAborted } from '../../shared/outside-call/unless-aborted.ts';

/** A question that was put; hold it until everything that follows from the answer is done. */
export interface PendingAnswer extends Disposable {
  /**
   * `undefined` when the endpoint gave no usable answer or its circuit is open. Rejects with the reason of the
   * asker's signal when that is aborted, and with nothing else.
   */
  answer: Promise<OptimalCallTime | undefined>;
}

export interface CallTimeModel {
  /** How many calls are made at once in this process, at most. */
  parallelism: number;
  /**
   * Asks for a phone number's call time. Whoever asks for the same number, in any job of this process, while
   * somebody still holds the question gets the same answer from the same call.
   */
  ask(question: EndpointQuestion, signal: AbortSignal): PendingAnswer;
}

export interface CallTimeModelOptions {
  endpoint: CallTimeEndpoint;
  parallelism: number;
  metrics: Pick<Metrics, 'circuitState' | 'endpointRequests'>;
  log: Logger;
}

interface SharedCall {
  answer: Promise<OptimalCallTime | undefined>;
  controller: AbortController;
  /** How many have asked and not let go yet. */
  holders: number;
  hasEnded: boolean;
}

/** The endpoint behind a circuit breaker and a limit of parallel calls, with one call per number in flight. */
export function createCallTimeModel(options: CallTimeModelOptions): CallTimeModel {
  const { endpoint, parallelism, metrics, log } = options;
  const limit = pLimit(parallelism);
  const circuit = createCircuit({ name: 'sagemaker', metrics, log, whileProbed: 'wait' });
  const calls = new Map<string, SharedCall>();

  async function call(question: EndpointQuestion, signal: AbortSignal): Promise<OptimalCallTime | undefined> {
    try {
      const answer = await limit(() => {
        signal.throwIfAborted();
        return circuit.execute(() => endpoint.ask(question, signal), signal);
      });
      metrics.endpointRequests.inc({ outcome: 'ok' });
      return answer;
    } catch (error) {
      const outcome = outcomeOf(error);
      metrics.endpointRequests.inc({ outcome });
      log.debug({ err: error, outcome }, 'no answer from the endpoint');
      return undefined;
    }
  }

  function startCall(question: EndpointQuestion): SharedCall {
    const controller = new AbortController();
    const answer = call(question, controller.signal).finally(() => {
      shared.hasEnded = true;
    });
    const shared: SharedCall = { answer, controller, holders: 0, hasEnded: false };
    calls.set(question.phoneNumber, shared);
    return shared;
  }

  return {
    parallelism,
    ask(question, signal) {
      const { phoneNumber } = question;
      const shared = calls.get(phoneNumber) ?? startCall(question);
      shared.holders += 1;
      let held = true;
      return {
        answer: unlessAborted(shared.answer, signal),
        [Symbol.dispose]() {
          if (!held) return;
          held = false;
          shared.holders -= 1;
          if (shared.holders > 0) return;
          calls.delete(phoneNumber);
          if (!shared.hasEnded) shared.controller.abort();
        },
      };
    },
  };
}

/** The metric label of a call that gave no answer. */
function outcomeOf(error: unknown): string {
  const { kind, code } = classify(error);
  if (code === 'CIRCUIT_OPEN') return 'rejected';
  if (kind === 'cancelled' || kind === 'rate-limited') return kind;
  if (code === 'ENDPOINT_TIMEOUT') return 'timeout';
  if (code === 'ENDPOINT_ANSWER_INVALID') return 'malformed';
  return 'error';
}
