import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { CallTimeSettings } from '../../../shared/config/call-time-settings.ts';
import { classify } from '../../../shared/errors/classify.ts';
import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('sagemaker');
const credentialsWithinMs = 2_000;

/** Document 000's example. */
const question = {
  phoneNumber: '+972501234567',
  timezone: 'Asia/Jerusalem',
  metadata: { name: 'John Doe', age: 35 },
};

/** @param deep whether to call the endpoint once, which may cost money */
export async function checkSagemaker(
  settings: CallTimeSettings,
  aws: AwsSettings,
  deep: boolean,
): Promise<Finding[]> {
  const { endpointName } = settings;
  if (endpointName === undefined) {
    return [report.ok('endpoint', 'not configured (SAGEMAKER_ENDPOINT_NAME): the default pattern answers')];
  }
  const credentials = await checkCredentials(settings, aws);
  if (!deep || credentials.state === 'fail') return [credentials];
  return [credentials, await checkEndpoint({ ...settings, endpointName })];
}

async function checkCredentials(settings: CallTimeSettings, aws: AwsSettings): Promise<Finding> {
  // The vendor's library takes a while to load, so only who uses it waits for that.
  const { awsCredentials } = await import('../../../shared/aws/aws-credentials.ts');
  const find = awsCredentials({ ...settings, ...aws });
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), credentialsWithinMs);
  const mend =
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine or container a role.';
  try {
    const found = await Promise.race([find(), late]);
    if (found === 'late') {
      const finding = `no AWS credentials within ${credentialsWithinMs / 1_000} s: the default pattern answers`;
      return report.fail('credentials', finding, mend);
    }
    return report.ok('credentials', 'found');
  } catch {
    return report.fail('credentials', 'no AWS credentials: the default pattern answers', mend);
  } finally {
    clearTimeout(timer);
  }
}

async function checkEndpoint(settings: CallTimeSettings & { endpointName: string }): Promise<Finding> {
  const { openSagemakerEndpoint } = await import('../../../shared/sagemaker/sagemaker-endpoint.ts');
  using endpoint = openSagemakerEndpoint(settings);
  try {
    await endpoint.ask(question, new AbortController().signal);
    return report.ok('endpoint', 'answers with a call time');
  } catch (error) {
    const { code, message } = classify(error);
    return report.fail(
      'endpoint',
      `${message} (${code}): the default pattern answers`,
      'Are SAGEMAKER_ENDPOINT_NAME and AWS_REGION right, is the endpoint in service, and may these credentials ' +
        'call sagemaker:InvokeEndpoint?',
    );
  }
}
