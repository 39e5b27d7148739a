import { formatTable } from '../format-table.ts';
import { describeProblem } from '../models/describe-models.ts';
import type { ShadowReport } from './shadow-report.ts';

/** The report for people. */
export function describeShadowReport(report: ShadowReport): string {
  const refused = report.problems.map((problem) => `  ${describeProblem(problem)}\n`);
  return [
    ...(refused.length > 0 ? [`Workers refuse ${report.model_id} ${report.challenger}:\n`, ...refused] : []),
    report.rows === null ? whyNothing(report) : describeRows(report, report.rows),
    ...(report.differences ? ['\n', describeDifferences(report.differences)] : []),
    ...(report.differences ? ['\n', describeOutcomes(report)] : []),
  ].join('');
}

function whyNothing({ model_id: id, challenger, is_challenger: isChallenger, days }: ShadowReport): string {
  if (isChallenger) {
    return (
      `No lead was scored by ${id} ${challenger} beside the champion in the last ${days} days. Workers do that with what ` +
      'they score anew, once they have loaded it.\n'
    );
  }
  return (
    `${id} has no challenger, and none was compared in the last ${days} days. \`presage models shadow ${id} VERSION\` ` +
    'names one.\n'
  );
}

function describeRows(report: ShadowReport, rows: NonNullable<ShadowReport['rows']>): string {
  const { model_id: id, champion, challenger, days, differences: found } = report;
  const notes = [
    report.is_challenger ? '' : `${challenger} is the challenger no more.\n`,
    rows.is_cut_short ? 'Those scored earlier were not looked at.\n' : '',
    rows.beside_other_champions > 0
      ? `${rows.beside_other_champions} leads that other champions answered are left out.\n`
      : '',
  ];
  return [
    `${id} ${challenger} beside ${champion}: ${rows.compared} leads in the last ${days} days, `,
    `scored from ${rows.first_scored_at} to ${rows.last_scored_at}\n`,
    ...notes,
    '\n',
    formatTable(
      ['', `CHAMPION ${champion}`, `CHALLENGER ${challenger}`],
      [
        [
          'rejected by it alone',
          String(rows.rejected_by_champion_only),
          String(rows.rejected_by_challenger_only),
        ],
        ['rejected by both', String(rows.rejected_by_both), String(rows.rejected_by_both)],
        ['mean probability', shown(found?.champion_mean), shown(found?.challenger_mean)],
      ],
    ),
  ].join('');
}

function describeDifferences(found: NonNullable<ShadowReport['differences']>): string {
  return formatTable(
    ['DIFFERENCE', 'OF PROBABILITIES'],
    [
      ['mean', shown(found.mean_absolute)],
      ['median', shown(found.p50_absolute)],
      ['95th percentile', shown(found.p95_absolute)],
      ['largest', shown(found.largest_absolute)],
      ['on the other side of 0.5', percent(found.sides_changed_share)],
      ['rank correlation', shown(found.rank_correlation)],
      ['population stability index', shown(found.psi)],
    ],
  );
}

function describeOutcomes({ outcomes, champion, challenger }: ShadowReport): string {
  if (!outcomes) return 'Of none of these leads it is known whether they converted.\n';
  const figures = (['auc', 'accuracy', 'brier', 'calibration_error'] as const).map((name) => [
    titles[name],
    shown(outcomes.champion[name]),
    shown(outcomes.challenger[name]),
  ]);
  return (
    `Of ${outcomes.leads} of these leads it is known whether they converted: ${percent(outcomes.base_rate)} did.\n\n` +
    formatTable(['', `CHAMPION ${champion}`, `CHALLENGER ${challenger}`], figures)
  );
}

const titles = {
  auc: 'area under the curve',
  accuracy: 'accuracy',
  brier: 'Brier score',
  calibration_error: 'calibration error',
};

function shown(value: number | null | undefined): string {
  return value?.toFixed(4) ?? '-';
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
