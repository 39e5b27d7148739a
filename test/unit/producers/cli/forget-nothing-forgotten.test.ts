import { nothingForgotten } from '../../../../producers/cli/forget/nothing-forgotten.ts';

test('is zero of everything, anew for each person', () => {
  const { running, ...counts } = nothingForgotten();
  expect(running).toEqual([]);
  expect(new Set(Object.values(counts))).toEqual(new Set([0]));
  running.push('a job');
  expect(nothingForgotten().running).toEqual([]);
});
