import type { AwsSettings } from '../../../shared/config/aws-settings.ts';
import type { ContentSettings } from '../../../shared/config/content-settings.ts';
import type { InsightSettings } from '../../../shared/config/insight-settings.ts';
import type { TextGenerationSettings } from '../../../shared/config/text-generation-settings.ts';
import type { VendorSettings } from '../../../shared/config/vendor-settings.ts';
import { checkBedrock } from './check-bedrock.ts';
import { checkOpenai } from './check-openai.ts';
import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('llm');

export interface TextGenerationParts {
  vendors: VendorSettings;
  insight: InsightSettings;
  content: ContentSettings;
  text: TextGenerationSettings;
  aws: AwsSettings;
}

/**
 * Checks who writes the insights' texts and the pages.
 *
 * @param deep whether to make one small call to each model, which may cost money
 */
export async function checkTextGeneration(
  { vendors, insight, content, text, aws }: TextGenerationParts,
  deep: boolean,
): Promise<Finding[]> {
  const models = [
    { check: 'model', model: insight.model, variable: 'BEDROCK_MODEL_ID' },
    { check: 'content model', model: content.model, variable: 'CONTENT_MODEL_ID' },
  ];
  const [bedrock, openai] = await Promise.all([
    checkBedrock(vendors.bedrock, models, aws, deep),
    checkOpenai(vendors.openai, deep),
  ]);
  const names = [...(bedrock.isConfigured ? ['Bedrock'] : []), ...(openai.isConfigured ? ['OpenAI'] : [])];
  // When nobody can be asked, one finding says it all.
  const aboutBedrock = bedrock.findings.filter(({ state }) => names.length > 0 || state === 'ok');
  return [...aboutBedrock, ...openai.findings, judgeVendors(names, text.degradedAnswers)];
}

function judgeVendors(
  vendors: string[],
  degradedAnswers: TextGenerationSettings['degradedAnswers'],
): Finding {
  if (vendors.length > 0) return report.ok('vendors', `asked in this order: ${vendors.join(', ')}`);
  const mend =
    'Give AWS credentials that may call Bedrock (and leave USE_BEDROCK at true), or set OPENAI_API_KEY.';
  return degradedAnswers === 'allow'
    ? report.warn(
        'vendors',
        'no model can be asked: every insight and every page is a degraded baseline',
        mend,
      )
    : report.fail(
        'vendors',
        'no model can be asked and DEGRADED_ANSWERS is deny: every insight and every page fails',
        mend,
      );
}
