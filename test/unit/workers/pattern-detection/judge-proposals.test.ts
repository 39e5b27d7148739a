import { readActivityLog } from '../../../../shared/patterns/activity-log.ts';
import type { Pattern } from '../../../../shared/patterns/pattern.ts';
import { defaultPopulation } from '../../../../shared/patterns/population.ts';
import { judgeProposals } from '../../../../workers/pattern-detection/judge-proposals.ts';
import type { Proposal } from '../../../../workers/pattern-detection/read-proposals.ts';
import { plantHabits } from '../../../support/plant-habits.ts';

const days = { startDay: 20_500, endDay: 20_530 };
const log = readActivityLog(plantHabits(7, days).events, days);

const weekdays = [1, 2, 3, 4, 5];
const dashboard: Pattern = { kind: 'time', activity: 'dashboard', weekdays, hour_start: 9, hour_end: 10 };
const everyDay: Pattern = { ...dashboard, weekdays: [1, 2, 3, 4, 5, 6, 7] };
const atNight: Pattern = { ...dashboard, hour_start: 2, hour_end: 4 };
const report: Pattern = { kind: 'sequence', after: 'login', activity: 'report', within_minutes: 15 };
const slowly: Pattern = { ...report, within_minutes: 30 };

const said = (pattern: Pattern, claimedConfidence = 0.99): Proposal => ({
  pattern,
  proposedBy: 'model',
  claimedConfidence,
  reason: 'because',
});
const computed = (pattern: Pattern): Proposal => ({
  pattern,
  proposedBy: 'statistics',
  claimedConfidence: null,
  reason: null,
});
const judge = (proposals: readonly Proposal[], minConfidence = 0.6) =>
  judgeProposals(proposals, log, { population: defaultPopulation, minConfidence }).map(
    ({ pattern, proposedBy, outcome }) => ({ pattern, proposedBy, outcome }),
  );

describe('judgeProposals', () => {
  it('keeps of equal ones the one of the model, which says why', () => {
    const expected = [
      { pattern: dashboard, proposedBy: 'model', outcome: 'detected' },
      { pattern: dashboard, proposedBy: 'statistics', outcome: 'same' },
    ];
    expect(judge([said(dashboard), computed(dashboard)])).toEqual(expected);
    expect(judge([computed(dashboard), said(dashboard)])).toEqual(expected);
  });

  it('keeps of those that overlap the one that the log supports best, whatever the model claims', () => {
    expect(judge([said(everyDay, 1), computed(dashboard)], 0.4)).toEqual([
      { pattern: dashboard, proposedBy: 'statistics', outcome: 'detected' },
      { pattern: everyDay, proposedBy: 'model', outcome: 'same' },
    ]);
  });

  it('takes two times after the same activity for one pattern', () => {
    const outcomes = judge([said(slowly), computed(report)]).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['detected', 'same']);
  });

  it('keeps a time and a sequence apart, though they lead to one activity', () => {
    const atNine: Pattern = { ...dashboard, activity: 'report' };
    expect(judge([computed(report), computed(dashboard), said(atNine)])).toEqual([
      expect.objectContaining({ outcome: 'detected' }),
      expect.objectContaining({ outcome: 'detected' }),
      { pattern: atNine, proposedBy: 'model', outcome: 'refuted' },
    ]);
  });

  it('calls what the log does not show refuted, and what it shows too weakly doubtful', () => {
    expect(judge([said(atNight, 1), said(everyDay, 1)], 0.999)).toEqual([
      { pattern: everyDay, proposedBy: 'model', outcome: 'doubtful' },
      { pattern: atNight, proposedBy: 'model', outcome: 'refuted' },
    ]);
  });
});
