import path from 'node:path';
import { Worker, type Transferable } from 'node:worker_threads';
import { forbidLibraryTelemetry } from '../config/forbid-library-telemetry.ts';
import { JobError } from '../errors/job-error.ts';
import type { OnnxNetwork, OnnxReply, OnnxRequest } from './onnx-message.ts';

/** A network in a thread of its own. Disposing it ends the thread, which frees its memory. */
export interface OnnxSession extends AsyncDisposable {
  /**
   * @param features rows one after the other
   * @returns what the network answers, an array for each output, in the same order; a row's numbers are the same
   *   whatever rows are beside it
   * @throws JobError `transient` with the code `MODEL_FAILED`
   */
  run(features: Float32Array): Promise<Float32Array[]>;
  /** Resolves when the thread has ended: with the reason, unless it was disposed. */
  ended: Promise<JobError | undefined>;
}

type Outcome = PromiseWithResolvers<Float32Array[]>;

/** @throws JobError `permanent` with the code `MODEL_UNFIT` when the bytes are not the network that is described */
export async function openOnnxSession(network: OnnxNetwork): Promise<OnnxSession> {
  forbidLibraryTelemetry();
  // Nothing of the environment is a network's business.
  const thread = new Worker(path.join(import.meta.dirname, 'onnx-thread.ts'), { env: {} });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<JobError | undefined>();
  const pending = new Map<number, Outcome>();
  let failure: JobError | undefined;
  let isEnding = false;
  let lastId = 0;

  function send(request: OnnxRequest, transfer: Transferable[] = []): void {
    thread.postMessage(request, transfer);
  }
  function end(): void {
    isEnding = true;
    send({ kind: 'end' });
  }
  function take(id: number): Outcome | undefined {
    const outcome = pending.get(id);
    pending.delete(id);
    return outcome;
  }
  thread.on('message', (reply: OnnxReply) => {
    switch (reply.kind) {
      case 'ready':
        return ready.resolve();
      case 'unfit':
        failure = new JobError('permanent', `The network cannot be used: ${reply.reason}`, {
          code: 'MODEL_UNFIT',
        });
        return end();
      case 'answer':
        return take(reply.id)?.resolve(reply.values);
      case 'failure':
        return take(reply.id)?.reject(modelFailed(reply.reason));
    }
  });
  thread.on('error', (error) => {
    failure = modelFailed('its thread broke', error);
  });
  thread.on('exit', () => {
    failure ??= modelFailed('its thread has ended');
    ready.reject(failure);
    for (const { reject } of pending.values()) reject(failure);
    pending.clear();
    ended.resolve(isEnding ? undefined : failure);
  });

  const bytes = new Uint8Array(network.bytes);
  send({ kind: 'load', network: { ...network, bytes } }, [bytes.buffer]);
  await ready.promise;
  return {
    run(given) {
      if (failure) return Promise.reject(failure);
      lastId += 1;
      const outcome: Outcome = Promise.withResolvers();
      pending.set(lastId, outcome);
      const features = new Float32Array(given);
      send({ kind: 'run', id: lastId, features }, [features.buffer]);
      return outcome.promise;
    },
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      if (!failure) end();
      await ended.promise;
    },
  };
}

function modelFailed(reason: string, cause?: unknown): JobError {
  return new JobError('transient', `The model failed: ${reason}`, { code: 'MODEL_FAILED', cause });
}
