import { classify } from '../../../shared/errors/classify.ts';
import type { GenerationCall, TextGenerator } from '../../../shared/text-generation/text-generator.ts';
import type { Finding, Reporter } from './finding.ts';

/** What to do about the failures whose cause lies with the configuration or the account. */
export type ModelMends = Record<
  'LLM_ACCESS_DENIED' | 'LLM_RATE_LIMITED' | 'LLM_REQUEST_REFUSED' | 'LLM_UNAVAILABLE',
  string
>;

/** Costs a hundredth of a cent at most. */
const tinyCall: GenerationCall = {
  system: 'You are asked whether you can be reached.',
  messages: [{ role: 'user', text: 'Answer that ok is true, as JSON: {"ok": true}' }],
  answer: {
    name: 'reachable',
    jsonSchema: {
      type: 'object',
      properties: { ok: { type: 'boolean' } },
      required: ['ok'],
      additionalProperties: false,
    },
  },
  maxOutputTokens: 32,
  temperature: 0,
  timeoutMs: 5_000,
};

/**
 * Asks the model one small question. Whether the answer is good is not what is asked: it can be reached.
 *
 * @param check what the finding is called
 */
export async function tryModel(
  generator: TextGenerator,
  report: Reporter,
  mends: ModelMends,
  check = 'model',
): Promise<Finding> {
  try {
    await generator.generate(tinyCall, new AbortController().signal);
    return report.ok(check, 'answers');
  } catch (error) {
    const { code, message } = classify(error);
    const finding = `${message} (${code})`;
    switch (code) {
      case 'LLM_RATE_LIMITED':
        return report.warn(check, finding, mends[code]);
      case 'LLM_ACCESS_DENIED':
      case 'LLM_REQUEST_REFUSED':
      case 'LLM_UNAVAILABLE':
        return report.fail(check, finding, mends[code]);
      default:
        return report.warn(check, finding, "Try again; if it stays so, look at the vendor's status page.");
    }
  }
}
