import * as fc from 'fast-check';
import { inventPatterns } from '../../../../shared/emulators/invent-patterns.ts';
import { readActivityLog, type ActivityLog } from '../../../../shared/patterns/activity-log.ts';
import { overlap } from '../../../../shared/patterns/propose-time-patterns.ts';
import { proposePatterns } from '../../../../shared/patterns/propose-patterns.ts';
import { patternPrompt } from '../../../../workers/pattern-detection/pattern-prompt.ts';
import { proposalAnswerSchema } from '../../../../workers/pattern-detection/proposal-answer.ts';
import { readProposals } from '../../../../workers/pattern-detection/read-proposals.ts';
import { plantHabits } from '../../../support/plant-habits.ts';

const window = { startDay: 20_500, endDay: 20_530 };

function plantedLog(seed: number): ActivityLog {
  return readActivityLog(plantHabits(seed, window).events, window);
}

function promptOf(log: ActivityLog): string {
  return patternPrompt(log, proposePatterns(log)).user;
}

describe('inventPatterns', () => {
  it('proposes the habits that the facts show, and says that it invented them', () => {
    const log = plantedLog(7);
    const { proposals, without } = readProposals(inventPatterns(promptOf(log)).patterns, log);
    expect(without).toEqual([]);
    expect(
      proposals.some(
        ({ pattern }) =>
          pattern.kind === 'time' &&
          overlap(pattern, {
            kind: 'time',
            activity: 'dashboard',
            weekdays: [3],
            hour_start: 9,
            hour_end: 10,
          }),
      ),
    ).toBe(true);
    expect(proposals.map(({ pattern }) => pattern)).toContainEqual(
      expect.objectContaining({ kind: 'sequence', after: 'login', activity: 'report' }),
    );
    for (const { reason } of proposals) expect(reason).toMatch(/^Invented /);
  });

  it('always answers as the worker asked, and the same to the same prompt', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.integer({ min: 0 }).map((seed) => promptOf(plantedLog(seed))),
          fc.json().map((json) => `<facts>\n{"activities":${json},"transitions":[]}\n</facts>`),
        ),
        (prompt) => {
          const invented = inventPatterns(prompt);
          expect(proposalAnswerSchema.parse(invented)).toEqual(invented);
          expect(inventPatterns(prompt)).toEqual(invented);
        },
      ),
    );
  });
});
