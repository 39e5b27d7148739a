import { askAgain } from '../../../../shared/text-generation/ask-again.ts';

const call = {
  system: 'You judge.',
  messages: [{ role: 'user', text: 'Judge this.' }],
  answer: { name: 'verdict', jsonSchema: {} },
  maxOutputTokens: 100,
  temperature: 0.7,
  timeoutMs: 1_000,
} as const;

test('the model sees what it wrote and what is wrong with it, and is asked the same otherwise', () => {
  const again = askAgain(call, { text: '{"score":101}\n', issues: ['score: too big', 'advice: missing'] });
  expect(again).toEqual({
    ...call,
    messages: [
      { role: 'user', text: 'Judge this.' },
      { role: 'assistant', text: '{"score":101}' },
      {
        role: 'user',
        text: [
          'Your answer does not fit what was asked for:',
          '- score: too big',
          '- advice: missing',
          'Answer again with one complete JSON object that does, and with nothing else.',
        ].join('\n'),
      },
    ],
  });
});

test('an answer without text is told as such, because vendors refuse an empty message', () => {
  expect(askAgain(call, { text: ' \n', issues: ['x'] }).messages[1]).toEqual({
    role: 'assistant',
    text: '(nothing)',
  });
});
