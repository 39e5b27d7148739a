import { z } from 'zod';
import { inventAnswer } from '../../../../shared/emulators/invent-answer.ts';
import { pageDocumentSchema } from '../../../../shared/pages/page-document.ts';
import { portableSchema } from '../../../../shared/text-generation/portable-schema.ts';
import { insightAnswerSchema } from '../../../../workers/churn-insight/insight-answer.ts';
import { proposalAnswerSchema } from '../../../../workers/pattern-detection/proposal-answer.ts';

it.each<[string, z.ZodType]>([
  ['an insight', insightAnswerSchema],
  ['patterns', proposalAnswerSchema],
  ['a page', pageDocumentSchema],
  ['anything else', z.object({ verdict: z.string() })],
])('answers with %s where that is asked for', (_what, schema) => {
  const request = {
    dialect: 'chat' as const,
    model: 'any',
    system: '',
    messages: [{ role: 'user' as const, text: 'Say something.' }],
    body: '',
    headers: {},
  };
  const answer: unknown = JSON.parse(inventAnswer(request, portableSchema(z.toJSONSchema(schema))));
  expect(schema.parse(answer)).toEqual(answer);
});
