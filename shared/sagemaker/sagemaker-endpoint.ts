import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  optimalCallTimeSchema,
  type Contact,
  type OptimalCallTime,
} from '../contracts/call-time-prediction.ts';
import { JobError } from '../errors/job-error.ts';
import { awsCredentials } from '../aws/aws-credentials.ts';
import { answerTimedOut, answerUnusable, endpointFailure } from './endpoint-failure.ts';
import { boundedCall, type CallEnding } from '../outside-call/bounded-call.ts';
import { collectBytes } from '../outside-call/collect-bytes.ts';

/**
 * How long one call may take, from its credentials to the last byte of its answer. An endpoint that does not
 * answer delays a prediction by this much and no more: then the default pattern is the answer.
 */
export const endpointTimeoutMs = 3_000;

const connectionTimeoutMs = 1_000;
/** An answer is a few hundred bytes. */
const maxAnswerBytes = 64 * 1024;

/** What the endpoint is told, and all it is told: document 000's input format. */
export interface EndpointQuestion {
  phoneNumber: string;
  timezone: string;
  metadata: NonNullable<Contact['metadata']>;
}

export interface CallTimeEndpoint extends Disposable {
  /**
   * Makes one call, never a second one.
   *
   * @param signal ends the call when it is aborted
   * @throws JobError `cancelled` when the signal was aborted; `rate-limited`, `unavailable`, `transient` or
   *   `permanent` as the endpoint failed, with the code `ENDPOINT_TIMEOUT` or `ENDPOINT_ANSWER_INVALID` where it
   *   gave no answer in time or none that can be used
   */
  ask(question: EndpointQuestion, signal: AbortSignal): Promise<OptimalCallTime>;
}

export interface SagemakerEndpointOptions {
  region: string;
  endpointName: string;
  /** An address instead of AWS's own. */
  endpointUrl: string | undefined;
  /** How many calls are made at once, at most. */
  parallelism: number;
  timeoutMs?: number;
}

/** SageMaker's `InvokeEndpoint` behind the call-time port. Connects with the first call. */
export function openSagemakerEndpoint(options: SagemakerEndpointOptions): CallTimeEndpoint {
  const { region, endpointName, endpointUrl, timeoutMs = endpointTimeoutMs } = options;
  const agent = { keepAlive: true, maxSockets: options.parallelism };
  const client = new SageMakerRuntimeClient({
    region,
    credentials: awsCredentials({ region, endpointUrl }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // The circuit in front of it and the queue decide what a failure leads to.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
    }),
    streamCollector: (stream: AsyncIterable<Uint8Array>) => collectBytes(stream, maxAnswerBytes),
  });

  async function invoke(question: EndpointQuestion, abortSignal: AbortSignal): Promise<Uint8Array> {
    const { phoneNumber, timezone, metadata } = question;
    const command = new InvokeEndpointCommand({
      EndpointName: endpointName,
      ContentType: 'application/json',
      Accept: 'application/json',
      Body: JSON.stringify({ phoneNumber, timezone, metadata }),
    });
    const { Body: body } = await client.send(command, { abortSignal });
    return body ?? new Uint8Array();
  }

  return {
    async ask(question, signal) {
      const body = await boundedCall({ timeoutMs, signal, failureOf: endedCall }, (abortSignal) =>
        invoke(question, abortSignal),
      );
      return parseAnswer(body);
    },
    [Symbol.dispose]() {
      client.destroy();
    },
  };
}

function endedCall(error: unknown, ending: CallEnding): JobError {
  if (ending === 'cancelled') {
    return new JobError('cancelled', 'The endpoint call was aborted', { code: 'ABORTED', cause: error });
  }
  return ending === 'late' ? answerTimedOut(error) : endpointFailure(error);
}

function parseAnswer(body: Uint8Array): OptimalCallTime {
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    // Handled below: what is no JSON is no answer either. The parser's error would quote it.
  }
  const parsed = optimalCallTimeSchema.safeParse(answer);
  if (!parsed.success) throw answerUnusable();
  return parsed.data;
}
