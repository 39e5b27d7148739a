import type { PatternSettings } from '../../../shared/config/pattern-settings.ts';
import type { TextGenerationSettings } from '../../../shared/config/text-generation-settings.ts';
import { reporterFor, type Finding } from './finding.ts';
import { tryModel, type ModelMends } from './try-model.ts';

const report = reporterFor('together');

const mends: ModelMends = {
  LLM_ACCESS_DENIED: 'Is TOGETHER_AI_KEY right, and may it use the model of LLAMA_MODEL_ID?',
  LLM_RATE_LIMITED:
    'Wait, ask for higher limits, or set TOGETHER_RPM and TOGETHER_TPM to what the account has.',
  LLM_REQUEST_REFUSED: 'Is LLAMA_MODEL_ID a chat model that can answer in JSON?',
  LLM_UNAVAILABLE: 'Is TOGETHER_BASE_URL right, and can it be reached from here?',
};

export interface TogetherParts {
  patterns: Pick<PatternSettings, 'together'>;
  text: TextGenerationSettings;
}

/**
 * Checks who proposes what users tend to do.
 *
 * @param deep whether to make one small call, which may cost money
 */
export async function checkTogether(
  { patterns: { together }, text }: TogetherParts,
  deep: boolean,
): Promise<Finding[]> {
  if (!together) return [judgeStatistics(text.degradedAnswers)];
  const key = together.baseUrl === undefined ? 'set' : 'for a server of its own (TOGETHER_BASE_URL)';
  if (!deep) return [report.ok('key', key)];
  // The vendor's library takes a while to load, so only who uses it waits for that.
  const { openTogether } = await import('../../../shared/text-generation/together.ts');
  using generator = openTogether(together);
  return [report.ok('key', key), await tryModel(generator, report, mends)];
}

function judgeStatistics(degradedAnswers: TextGenerationSettings['degradedAnswers']): Finding {
  const mend = 'Set TOGETHER_AI_KEY, or TOGETHER_BASE_URL for a server of your own.';
  return degradedAnswers === 'allow'
    ? report.warn('key', 'not configured: statistics alone propose what users tend to do', mend)
    : report.fail('key', 'not configured and DEGRADED_ANSWERS is deny: looks at users fail', mend);
}
