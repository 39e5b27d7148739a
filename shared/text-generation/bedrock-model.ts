/** What a model can be asked for, and how. */
export interface BedrockModel {
  /** How the answer's schema is told: Bedrock's own schema mode, a tool that must be used, or words. */
  answerForm: 'json-schema' | 'tool' | 'words';
  takesTemperature: boolean;
  /** Whether it takes a system text beside the messages. */
  takesSystem: boolean;
}

/** Text models of an earlier time, which have no place for a system text. */
const withoutSystem = /(titan-text|titan-tg1|mistral-7b|mixtral-8x7b|cohere\.command-(light-)?text|ai21\.j2)/;

/** Models whose tools can be forced: the API's reference names them. */
const withForcedTool = /(amazon\.nova|mistral\.(mistral-large|pixtral-large))/;

/** ARNs that say nothing about the model behind them. */
const opaque = /:(application-inference-profile|provisioned-model|imported-model|custom-model)/;

/**
 * Says by its id what a Bedrock model can do. Ids may carry a region (`us.`, `global.`) or be an ARN. What is not
 * known is asked in words, which every model understands: a feature that a model lacks is a refused request.
 */
export function bedrockModel(id: string): BedrockModel {
  // Newer models refuse a temperature. Which model this is cannot be seen, so it is given none.
  if (opaque.test(id)) return { answerForm: 'words', takesTemperature: false, takesSystem: true };
  if (/anthropic\.claude-/.test(id)) return claude(id);
  return {
    answerForm: withForcedTool.test(id) ? 'tool' : 'words',
    takesTemperature: true,
    takesSystem: !withoutSystem.test(id),
  };
}

function claude(id: string): BedrockModel {
  const takesSystem = true;
  // claude-3-5-haiku-20241022, claude-opus-4-1-20250805, claude-sonnet-5: the date is no minor version.
  const [, major, minor = '0'] = /claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2})(?!\d))?/.exec(id) ?? [];
  if (major === undefined) {
    // claude-v2, claude-instant-v1, or a name without a number.
    return { answerForm: 'words', takesTemperature: /claude-(v|instant)/.test(id), takesSystem };
  }
  const version = Number(major) + Number(minor) / 100;
  return {
    answerForm: version >= 4.05 ? 'json-schema' : 'tool',
    // From 4.7 on, a temperature is answered with 400: test/contract/bedrock.test.ts, 'gives no temperature'.
    takesTemperature: version < 4.07,
    takesSystem,
  };
}
