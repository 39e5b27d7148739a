import { reporterFor, type Finding } from '../doctor/finding.ts';
import { WrongAnswer } from './wrong-answer.ts';

/** The outcome of one check; what it throws as WrongAnswer is a finding too. */
export async function findOut(
  subject: string,
  check: string,
  look: (report: BoundReporter) => Promise<Finding>,
): Promise<Finding> {
  const report = reporterFor(subject);
  try {
    return await look({
      ok: (finding) => report.ok(check, finding),
      warn: (finding, mend) => report.warn(check, finding, mend),
    });
  } catch (error) {
    if (error instanceof WrongAnswer) return report.fail(check, error.message, error.mend);
    throw error;
  }
}

/** Says how one check went; what failed is thrown. */
interface BoundReporter {
  ok(finding: string): Finding;
  warn(finding: string, mend: string): Finding;
}
