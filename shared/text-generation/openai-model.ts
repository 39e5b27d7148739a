/** What a model can be asked for, and how. */
export interface OpenaiModel {
  /** How the answer's schema is told: the vendor's own schema mode, or words. */
  answerForm: 'json-schema' | 'words';
  /** Whether it thinks before it answers: then it takes no temperature. */
  isReasoning: boolean;
  /** What its limit of output tokens is called. Servers that are not OpenAI's know the older name only. */
  limit: 'max_tokens' | 'max_completion_tokens';
}

/** Models that are older than the schema mode. */
const beforeSchemaMode =
  /^(gpt-3\.5|gpt-4(-|$)(?!o)|gpt-4o-2024-05-13|chatgpt-4o|o1-(mini|preview)|davinci|babbage)/;

/**
 * Says by its id what a model can do. A server that is not OpenAI's may have models of any name: they are asked in
 * schema mode, which vLLM and Ollama have for all of theirs.
 */
export function openaiModel(id: string): OpenaiModel {
  // ft:gpt-4o-mini-2024-07-18:org::id is a model of one's own; openai/gpt-4.1 is how routers call it.
  const name = id.replace(/^ft:/, '').replace(/^openai\//, '');
  return {
    answerForm: beforeSchemaMode.test(name) ? 'words' : 'json-schema',
    isReasoning: /^(o\d|gpt-[5-9](?!.*chat))/.test(name),
    limit: /^(o\d|gpt-[5-9])/.test(name) ? 'max_completion_tokens' : 'max_tokens',
  };
}
