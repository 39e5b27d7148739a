import type { Finding } from './finding.ts';

/** One line for each finding, the mend at its end. */
export function formatFindings(findings: readonly Finding[]): string {
  const topics = findings.map(({ subject, check }) => `${subject} ${check}`);
  const width = Math.max(...topics.map((topic) => topic.length));
  return findings
    .map(({ state, finding, mend }, index) => {
      const topic = (topics[index] ?? '').padEnd(width);
      return `${state.padEnd(4)}  ${topic}  ${finding}${mend === null ? '' : `. ${mend}`}\n`;
    })
    .join('');
}
