import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { awsCredentials } from '../aws/aws-credentials.ts';
import type { AwsSettings } from '../config/aws-settings.ts';
import type { DynamodbSettings } from '../config/dynamodb-settings.ts';
import { JobError, StoreUnavailableError } from '../errors/job-error.ts';
import { boundedCall, type CallEnding } from '../outside-call/bounded-call.ts';
import { dynamodbFailure } from './dynamodb-failure.ts';

const connectionTimeoutMs = 1_000;
const requestTimeoutMs = 3_000;
/** The whole of a call: credentials, request, and the last byte of the answer. */
const defaultCallTimeoutMs = 5_000;
const maxSockets = 128;

export interface DynamodbOptions extends Pick<DynamodbSettings, 'region' | 'endpointUrl'>, AwsSettings {
  /** Instead of 3 s for a request and 5 s for the whole of a call, for an emulator that shares a busy machine. */
  callTimeoutMs?: number;
}

export interface Dynamodb extends Disposable {
  /** An address instead of AWS's own. */
  endpointUrl: string | undefined;
  /**
   * Makes one call, never a second one.
   *
   * @param request sends one command with the options that it is given
   * @throws StoreUnavailableError when DynamoDB does not answer or asks for fewer calls; JobError `cancelled` when
   *   the signal was aborted; JobError with the code `DYNAMODB_ACCESS_DENIED`, `DYNAMODB_TABLE_MISSING`,
   *   `DYNAMODB_CALL_REFUSED` or `DYNAMODB_FAILED`
   */
  call<Answer>(
    request: (documents: DynamoDBDocumentClient, options: { abortSignal: AbortSignal }) => Promise<Answer>,
    limits?: CallLimits,
  ): Promise<Answer>;
}

export interface CallLimits {
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

/** DynamoDB with plain values instead of typed attributes. Connects with the first call. */
export function openDynamodb(options: DynamodbOptions): Dynamodb {
  const { region, endpointUrl, mayAskInstanceMetadata, callTimeoutMs } = options;
  const agent = { keepAlive: true, maxSockets };
  const client = new DynamoDBClient({
    region,
    credentials: awsCredentials({ region, endpointUrl, mayAskInstanceMetadata }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // The queue owns the attempts.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: callTimeoutMs ?? connectionTimeoutMs,
      requestTimeout: callTimeoutMs ?? requestTimeoutMs,
      throwOnRequestTimeout: true,
    }),
  });
  // A number that JavaScript cannot hold exactly would else be an error, also in an item that is not ours.
  const documents = DynamoDBDocumentClient.from(client, { unmarshallOptions: { wrapNumbers: Number } });

  return {
    endpointUrl,
    call(request, { signal, timeoutMs = callTimeoutMs ?? defaultCallTimeoutMs } = {}) {
      return boundedCall({ timeoutMs, signal, failureOf: endedCall }, (abortSignal) =>
        request(documents, { abortSignal }),
      );
    },
    [Symbol.dispose]() {
      client.destroy();
    },
  };
}

function endedCall(error: unknown, ending: CallEnding): JobError {
  if (ending === 'cancelled') {
    return new JobError('cancelled', 'The DynamoDB call was aborted', { code: 'ABORTED', cause: error });
  }
  return ending === 'late' ? new StoreUnavailableError('dynamodb', error) : dynamodbFailure(error);
}
