import type { Kysely } from 'kysely';
import type { Tables } from '../shared/database/tables.ts';
import type { LlmServer } from '../shared/emulators/llm-server.ts';
import { activeUsers, readDays, windowDays } from './detect-in-one-process.ts';

const charactersPerToken = 4;

export interface RawTokens {
  /** The rows of the last 30 days as JSON, with the documented columns of `activity_log`. */
  rows: number;
  /** The same in the place of the facts, with the instructions and the answer that a user costs now. */
  withInstructions: number;
}

/** What an active user would cost if a model were sent what the user did as it is. */
export async function rawTokensPerUser(db: Kysely<Tables>, llm: LlmServer): Promise<RawTokens> {
  let users = 0;
  let characters = 0;
  for await (const page of activeUsers(db)) {
    for (const userId of page) {
      users += 1;
      const rows = (await readDays(db, userId, windowDays)).map((event) => ({
        user_id: userId,
        activity_type: event.activityType,
        occurred_at: event.occurredAt,
        timezone: event.timezone,
        metadata: null,
      }));
      characters += JSON.stringify(rows).length;
    }
  }
  const rows = characters / charactersPerToken / users;
  const { calls, usage } = llm.answered().chat;
  const instructions = llm.requests.map(({ system, messages }) =>
    [system, ...messages.map(({ text }) => withoutFacts(text))].join(''),
  );
  const instructionTokens = instructions.join('').length / charactersPerToken / instructions.length;
  return { rows, withInstructions: rows + instructionTokens + usage.outputTokens / calls };
}

/** A prompt without its line of JSON. */
function withoutFacts(prompt: string): string {
  return prompt
    .split('\n')
    .filter((line) => !line.startsWith('{'))
    .join('\n');
}
