import fc from 'fast-check';
import { z } from 'zod';
import { parseAnswer } from '../../../../shared/text-generation/parse-answer.ts';

const verdict = z.object({ score: z.number().min(0).max(100), advice: z.array(z.string()).min(2) });
const good = { score: 50, advice: ['call', 'write'] };
const anyObject = z.record(z.string(), z.unknown());

const jsonObject = fc
  // A schema drops this one.
  .dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.jsonValue(),
  )
  .map((object): Record<string, unknown> => JSON.parse(JSON.stringify(object)));
const proseWithoutBraces = fc.string().map((text) => text.replaceAll(/[{}`]/g, ' '));

describe('parseAnswer', () => {
  it.each([
    ['JSON as it is', JSON.stringify(good)],
    ['JSON with space around it', `\n ${JSON.stringify(good, null, 2)}\n`],
    ['a code fence', `\`\`\`json\n${JSON.stringify(good)}\n\`\`\``],
    ['a code fence without a language', `\`\`\`\n${JSON.stringify(good)}\`\`\``],
    ['a fence among prose with braces', `For {you}:\n\`\`\`json\n${JSON.stringify(good)}\n\`\`\`\nUse {it}.`],
    ['the second of two fences', `\`\`\`\nnote\n\`\`\`\n\`\`\`json\n${JSON.stringify(good)}\n\`\`\``],
    ['prose with other braces', `For {you}, <think>{"a": 1}</think>: ${JSON.stringify(good)} :-}`],
    ['prose around it', `Here it is: ${JSON.stringify(good)} Good luck!`],
  ])('takes %s', (_what, text) => {
    expect(parseAnswer(text, verdict)).toEqual({ fits: true, answer: good });
  });

  it('finds any JSON object again, in prose and in a fence', () => {
    fc.assert(
      fc.property(
        jsonObject,
        proseWithoutBraces,
        proseWithoutBraces,
        fc.boolean(),
        (object, before, after, fenced) => {
          const json = JSON.stringify(object);
          const text = fenced
            ? `${before}\n\`\`\`json\n${json}\n\`\`\`\n${after}`
            : `${before} ${json} ${after}`;
          expect(parseAnswer(text, anyObject)).toEqual({ fits: true, answer: object });
        },
      ),
    );
  });

  it('never throws, whatever a model writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', '`', '"', '\\', 'a', '\n') }), (text) => {
        const parsed = parseAnswer(text, verdict);
        expect(parsed.fits).toBe(false);
      }),
    );
  });

  it('is quick with what is made to be slow', () => {
    const began = process.cpuUsage();
    for (const text of [
      '```'.repeat(20_000),
      '{'.repeat(60_000),
      '```\n'.repeat(20_000),
      `{${'}'.repeat(60_000)}`,
    ]) {
      expect(parseAnswer(text, verdict).fits).toBe(false);
    }
    // Of its own time, in microseconds: a busy machine gives it little of it.
    expect(process.cpuUsage(began).user).toBeLessThan(10_000_000);
  });

  it.each([
    ['', ['the answer is not one complete JSON object']],
    ['I cannot say.', ['the answer is not one complete JSON object']],
    [JSON.stringify(good).slice(0, -5), ['the answer is not one complete JSON object']],
    ['{"score":101,"advice":["a"]}', [expect.stringMatching(/^score: /), expect.stringMatching(/^advice: /)]],
    ['[1]', [expect.stringMatching(/object/)]],
  ])('says of %j what is wrong', (text, issues) => {
    expect(parseAnswer(text, verdict)).toEqual({ fits: false, issues });
  });

  it('does not quote the answer in what is wrong', () => {
    const parsed = parseAnswer('{"score":"SECRET","advice":["SECRET"]}', verdict);
    expect(parsed.fits).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('SECRET');
  });
});
