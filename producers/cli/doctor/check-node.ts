import { reporterFor, type Finding } from './finding.ts';
import { isAtLeast } from './is-at-least.ts';

const oldestVersion = [24, 9] as const;

/** @param version the one that this process runs on */
export function checkNode(version: string): Finding {
  const report = reporterFor('node.js');
  return isAtLeast(version, oldestVersion)
    ? report.ok('version', version)
    : report.fail('version', `${version} is too old`, `Use Node.js ${oldestVersion.join('.')} or newer.`);
}
