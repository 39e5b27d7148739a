import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { InsightSettings } from '../../../shared/config/insight-settings.ts';
import { reporterFor, type Finding } from './finding.ts';
import { tryModel, type ModelMends } from './try-model.ts';

const report = reporterFor('bedrock');
/** As long as the worker looks for them when it starts. */
const credentialsWithinMs = 2_000;

const mends: ModelMends = {
  LLM_ACCESS_DENIED:
    'Enable access to the model in the Bedrock console, in the region of AWS_REGION; allow these credentials ' +
    'bedrock:InvokeModel; is BEDROCK_MODEL_ID a model of that region?',
  LLM_RATE_LIMITED:
    'Wait, ask AWS for a higher quota, or set BEDROCK_RPM and BEDROCK_TPM to what the account has.',
  LLM_REQUEST_REFUSED:
    "Is BEDROCK_MODEL_ID right? Newer models are called by an inference profile's id, which begins with us. or global.",
  LLM_UNAVAILABLE:
    'Are AWS_REGION and AWS_ENDPOINT_URL_BEDROCK_RUNTIME right, and can it be reached from here?',
};

/**
 * @param deep whether to make one small call, which may cost money
 * @returns also whether the worker asks Bedrock
 */
export async function checkBedrock(
  insight: InsightSettings,
  { mayAskInstanceMetadata }: AwsSettings,
  deep: boolean,
): Promise<{ isConfigured: boolean; findings: Finding[] }> {
  if (!insight.useBedrock) {
    return { isConfigured: false, findings: [report.ok('credentials', 'not asked (USE_BEDROCK is false)')] };
  }
  const options = { ...insight.bedrock, mayAskInstanceMetadata };
  // The vendor's library takes a while to load, so only who uses it waits for that.
  const { hasCredentials } = await import('../../../shared/aws/has-credentials.ts');
  if (!(await hasCredentials(options, credentialsWithinMs))) {
    const finding = `no AWS credentials within ${credentialsWithinMs / 1_000} s: Bedrock is not asked`;
    const mend =
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine or container a role; ' +
      'or set USE_BEDROCK=false.';
    return { isConfigured: false, findings: [report.warn('credentials', finding, mend)] };
  }
  const findings = [report.ok('credentials', 'found')];
  if (deep) {
    const { openBedrock } = await import('../../../shared/text-generation/bedrock.ts');
    using generator = openBedrock(options);
    findings.push(await tryModel(generator, report, mends));
  }
  return { isConfigured: true, findings };
}
