import {
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { awsCredentials, type AwsCredentialOptions } from '../../shared/aws/aws-credentials.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import { boundedCall } from '../../shared/outside-call/bounded-call.ts';

const connectionTimeoutMs = 2_000;
/** The whole of a call: credentials, request, and the last byte of the answer. */
const callTimeoutMs = 15_000;
/** What Step Functions takes of an error's cause. */
const longestCause = 32_768;

export interface TaskCallbackOptions extends AwsCredentialOptions {
  taskToken: string;
}

/**
 * A state of a state machine that waits for this process. Every call answers whether the state still waited: it does
 * not after its time-out, nor when a container is started again that has answered before.
 */
export interface TaskCallback extends Disposable {
  /** @throws JobError `transient` with the code `TASK_CALLBACK_FAILED` */
  succeed(output: unknown): Promise<boolean>;
  /** @throws JobError `transient` with the code `TASK_CALLBACK_FAILED` */
  fail(error: { code: string; message: string }): Promise<boolean>;
}

/** Connects with the first call. */
export function openTaskCallback(options: TaskCallbackOptions): TaskCallback {
  const { taskToken, region, endpointUrl } = options;
  const client = new SFNClient({
    region,
    credentials: awsCredentials(options),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // A container that could not say that it is ready is started again by whoever runs it.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ connectionTimeout: connectionTimeoutMs }),
  });

  return {
    succeed(output) {
      const command = new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) });
      return tell((abortSignal) => client.send(command, { abortSignal }));
    },
    fail({ code, message }) {
      const cause = message.slice(0, longestCause);
      const command = new SendTaskFailureCommand({ taskToken, error: code, cause });
      return tell((abortSignal) => client.send(command, { abortSignal }));
    },
    [Symbol.dispose]() {
      client.destroy();
    },
  };
}

async function tell(send: (abortSignal: AbortSignal) => Promise<unknown>): Promise<boolean> {
  return await boundedCall({ timeoutMs: callTimeoutMs, failureOf: callFailed }, async (abortSignal) => {
    try {
      await send(abortSignal);
      return true;
    } catch (error) {
      if (error instanceof TaskTimedOut || error instanceof TaskDoesNotExist) return false;
      throw error;
    }
  });
}

function callFailed(error: unknown): JobError {
  const name = error instanceof Error ? error.name : 'no error';
  return new JobError('transient', `Step Functions could not be told (${name})`, {
    code: 'TASK_CALLBACK_FAILED',
    cause: error,
  });
}
