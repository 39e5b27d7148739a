import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { InsightSettings } from '../../../shared/config/insight-settings.ts';
import type { TextGenerationSettings } from '../../../shared/config/text-generation-settings.ts';
import { checkBedrock } from './check-bedrock.ts';
import { checkOpenai } from './check-openai.ts';
import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('llm');

export interface TextGenerationParts {
  insight: InsightSettings;
  text: TextGenerationSettings;
  aws: AwsSettings;
}

/**
 * Checks who writes the insights' texts.
 *
 * @param deep whether to make one small call to each vendor, which may cost money
 */
export async function checkTextGeneration(
  { insight, text, aws }: TextGenerationParts,
  deep: boolean,
): Promise<Finding[]> {
  const [bedrock, openai] = await Promise.all([checkBedrock(insight, aws, deep), checkOpenai(insight, deep)]);
  const vendors = [...(bedrock.isConfigured ? ['Bedrock'] : []), ...(openai.isConfigured ? ['OpenAI'] : [])];
  // When nobody can be asked, one finding says it all.
  const aboutBedrock = bedrock.findings.filter(({ state }) => vendors.length > 0 || state === 'ok');
  return [...aboutBedrock, ...openai.findings, judgeVendors(vendors, text.degradedAnswers)];
}

function judgeVendors(
  vendors: string[],
  degradedAnswers: TextGenerationSettings['degradedAnswers'],
): Finding {
  if (vendors.length > 0) return report.ok('vendors', `asked in this order: ${vendors.join(', ')}`);
  const mend =
    'Give AWS credentials that may call Bedrock (and leave USE_BEDROCK at true), or set OPENAI_API_KEY.';
  return degradedAnswers === 'allow'
    ? report.warn('vendors', 'no model can be asked: every insight is a degraded baseline', mend)
    : report.fail('vendors', 'no model can be asked and DEGRADED_ANSWERS is deny: every insight fails', mend);
}
