import type { VendorSettings } from '../../../shared/config/vendor-settings.ts';
import { reporterFor, type Finding } from './finding.ts';
import { tryModel, type ModelMends } from './try-model.ts';

const report = reporterFor('openai');

const mends: ModelMends = {
  LLM_ACCESS_DENIED:
    'Is OPENAI_API_KEY right, may it use the model of OPENAI_MODEL_ID, and has the account credit left?',
  LLM_RATE_LIMITED: 'Wait, ask for higher limits, or set OPENAI_RPM and OPENAI_TPM to what the account has.',
  LLM_REQUEST_REFUSED: 'Is OPENAI_MODEL_ID a chat model?',
  LLM_UNAVAILABLE: 'Is OPENAI_BASE_URL right, and can it be reached from here?',
};

/**
 * @param deep whether to make one small call, which may cost money
 * @returns also whether the workers ask OpenAI
 */
export async function checkOpenai(
  openai: VendorSettings['openai'],
  deep: boolean,
): Promise<{ isConfigured: boolean; findings: Finding[] }> {
  if (!openai) {
    return {
      isConfigured: false,
      findings: [report.ok('key', 'not configured (OPENAI_API_KEY): not asked')],
    };
  }
  const findings = [
    openai.apiKey === undefined
      ? report.ok('key', 'none (OPENAI_API_KEY), for a server of its own (OPENAI_BASE_URL)')
      : report.ok('key', 'set'),
  ];
  if (deep) {
    // The vendor's library takes a while to load, so only who uses it waits for that.
    const { openOpenai } = await import('../../../shared/text-generation/openai.ts');
    using generator = openOpenai(openai);
    findings.push(await tryModel(generator, report, mends));
  }
  return { isConfigured: true, findings };
}
