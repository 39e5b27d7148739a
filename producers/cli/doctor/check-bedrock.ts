import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { VendorSettings } from '../../../shared/config/vendor-settings.ts';
import { reporterFor, type Finding } from './finding.ts';
import { tryModel, type ModelMends } from './try-model.ts';

const report = reporterFor('bedrock');
/** As long as the workers look for them when they start. */
const credentialsWithinMs = 2_000;

/** A model that one of the workers asks. */
export interface BedrockModelInUse {
  /** What the finding is called. */
  check: string;
  model: string;
  /** Where the model is configured. */
  variable: string;
}

function mendsOf(variable: string): ModelMends {
  return {
    LLM_ACCESS_DENIED:
      'Enable access to the model in the Bedrock console, in the region of AWS_REGION; allow these credentials ' +
      `bedrock:InvokeModel; is ${variable} a model of that region?`,
    LLM_RATE_LIMITED:
      'Wait, ask AWS for a higher quota, or set BEDROCK_RPM and BEDROCK_TPM to what the account has.',
    LLM_REQUEST_REFUSED: `Is ${variable} right? Newer models are called by an inference profile's id, which begins with us. or global.`,
    LLM_UNAVAILABLE:
      'Are AWS_REGION and AWS_ENDPOINT_URL_BEDROCK_RUNTIME right, and can it be reached from here?',
  };
}

/**
 * @param models a model that several workers ask is tried once
 * @param deep whether to make one small call to each model, which may cost money
 * @returns also whether the workers ask Bedrock
 */
export async function checkBedrock(
  bedrock: VendorSettings['bedrock'],
  models: readonly BedrockModelInUse[],
  { mayAskInstanceMetadata }: AwsSettings,
  deep: boolean,
): Promise<{ isConfigured: boolean; findings: Finding[] }> {
  if (!bedrock) {
    return { isConfigured: false, findings: [report.ok('credentials', 'not asked (USE_BEDROCK is false)')] };
  }
  const options = { ...bedrock, mayAskInstanceMetadata };
  // The vendor's library takes a while to load, so only who uses it waits for that.
  const { hasCredentials } = await import('../../../shared/aws/has-credentials.ts');
  if (!(await hasCredentials(options, credentialsWithinMs))) {
    const finding = `no AWS credentials within ${credentialsWithinMs / 1_000} s: Bedrock is not asked`;
    const mend =
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine or container a role; ' +
      'or set USE_BEDROCK=false.';
    return { isConfigured: false, findings: [report.warn('credentials', finding, mend)] };
  }
  const credentials = report.ok('credentials', 'found');
  if (!deep) return { isConfigured: true, findings: [credentials] };
  const { openBedrock } = await import('../../../shared/text-generation/bedrock.ts');
  const distinct = models.filter(
    ({ model }, index) => models.findIndex((other) => other.model === model) === index,
  );
  const tried = await Promise.all(
    distinct.map(async ({ check, model, variable }) => {
      using generator = openBedrock({ ...options, model });
      return await tryModel(generator, report, mendsOf(variable), check);
    }),
  );
  return { isConfigured: true, findings: [credentials, ...tried] };
}
