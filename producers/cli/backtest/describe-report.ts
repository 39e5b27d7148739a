import { formatTable } from '../format-table.ts';
import type { BacktestReport } from './report.ts';

/** The report for people. */
export function describeReport(name: string, report: BacktestReport): string {
  const { lines, coverage, control } = report;
  const rows = [
    ...report.reliability.map((range) =>
      row(`${range.lower.toFixed(1)} to ${range.upper.toFixed(1)}`, range),
    ),
    ...report.stated_at_least.map((range) => row(`${range.threshold.toFixed(1)} and more`, range)),
    ...report.unchecked.map((range) => row(`unchecked, ${range.threshold.toFixed(1)} and more`, range)),
    row('same hour as last week', {
      count: control.predictions,
      mean_stated: null,
      realised: control.precision,
    }),
  ];
  return [
    `${name}: ${lines.read} lines, ${lines.bad} bad\n`,
    ...lines.bad_lines.map(({ line, message }) => `  line ${line}: ${message}\n`),
    ...(lines.bad > lines.bad_lines.length
      ? [`  and ${lines.bad - lines.bad_lines.length} more bad lines\n`]
      : []),
    `${report.users} users, ${report.cut_offs} weekly cut-offs, ${report.evaluations} times a user was looked at, `,
    `${report.predictions} predictions\n\n`,
    formatTable(['STATED CONFIDENCE', 'PREDICTIONS', 'MEAN STATED', 'CAME TRUE'], rows),
    `\n${coverage.users} users (${(coverage.share * 100).toFixed(1)} % of those looked at) got a prediction stated `,
    `at ${coverage.threshold.toFixed(1)} or more.\n`,
    'Unchecked: what the same patterns would have stated by the days that chose them.\n',
  ].join('');
}

function row(
  title: string,
  { count, mean_stated, realised }: { count: number; mean_stated: number | null; realised: number | null },
): string[] {
  return [title, String(count), mean_stated?.toFixed(3) ?? '-', realised?.toFixed(3) ?? '-'];
}
