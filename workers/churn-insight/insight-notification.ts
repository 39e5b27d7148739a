import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { awsCredentials, type AwsCredentialOptions } from '../../shared/aws/aws-credentials.ts';
import type { Insight } from '../../shared/contracts/churn-insight.ts';
import { JobError } from '../../shared/errors/job-error.ts';
import { boundedCall, type CallEnding } from '../../shared/outside-call/bounded-call.ts';
import { notificationFailure } from './notification-failure.ts';

const connectionTimeoutMs = 1_000;
/** The whole of a call: credentials, request, and the last byte of the answer. */
const defaultCallTimeoutMs = 5_000;

export interface InsightNotificationOptions extends AwsCredentialOptions {
  topicArn: string;
  /** Risk scores below it are told to nobody. */
  minRisk: number;
  callTimeoutMs?: number;
}

/** Tells an SNS topic of insights. */
export interface InsightNotification extends Disposable {
  /**
   * Publishes the insight as JSON when its risk is high enough. A job that runs again tells again: at least once.
   *
   * @throws JobError with the code `NOTIFICATION_FAILED` (transient, rate-limited or unavailable) or
   *   `NOTIFICATION_REFUSED` (permanent); `cancelled` when the signal was aborted
   */
  notify(insight: Insight, signal: AbortSignal): Promise<void>;
}

/** Connects with the first notification. */
export function openInsightNotification(options: InsightNotificationOptions): InsightNotification {
  const { topicArn, minRisk, region, endpointUrl, callTimeoutMs = defaultCallTimeoutMs } = options;
  const agent = { keepAlive: true, maxSockets: 64 };
  const client = new SNSClient({
    region,
    credentials: awsCredentials(options),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // The queue owns the attempts.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: connectionTimeoutMs,
    }),
  });

  return {
    async notify(insight, signal) {
      if (insight.risk_score < minRisk) return;
      const command = publishCommand(topicArn, insight);
      await boundedCall({ timeoutMs: callTimeoutMs, signal, failureOf: endedCall }, (abortSignal) =>
        client.send(command, { abortSignal }),
      );
    },
    [Symbol.dispose]() {
      client.destroy();
    },
  };
}

function endedCall(error: unknown, ending: CallEnding): JobError {
  if (ending === 'cancelled') {
    return new JobError('cancelled', 'The notification was aborted', { code: 'ABORTED', cause: error });
  }
  return notificationFailure(error, ending === 'late');
}

/** Subscriptions can filter by the attributes. The subject holds nothing that an alert's sender wrote. */
function publishCommand(topicArn: string, insight: Insight): PublishCommand {
  return new PublishCommand({
    TopicArn: topicArn,
    Subject: `Presage insight: ${insight.prediction_type}`,
    Message: JSON.stringify(insight),
    MessageAttributes: {
      prediction_type: { DataType: 'String', StringValue: insight.prediction_type },
      risk_score: { DataType: 'Number', StringValue: String(insight.risk_score) },
      degraded: { DataType: 'String', StringValue: String(insight.degraded) },
    },
  });
}
