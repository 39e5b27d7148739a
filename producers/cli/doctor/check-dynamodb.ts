import { reporterFor, type Finding } from './finding.ts';

const report = reporterFor('dynamodb');
const answersWithinMs = 2_000;

/** @param endpointUrl an address instead of AWS's own; `undefined` when none is configured */
export async function checkDynamodb(endpointUrl: string | undefined): Promise<Finding> {
  if (endpointUrl === undefined) {
    return report.ok('endpoint', 'no address of its own (AWS_ENDPOINT_URL_DYNAMODB); no worker uses it yet');
  }
  const mend = 'Start it, or correct AWS_ENDPOINT_URL_DYNAMODB.';
  if (!URL.canParse(endpointUrl)) return report.fail('endpoint', 'the address is no URL', mend);
  const { host } = new URL(endpointUrl);
  try {
    const response = await fetch(endpointUrl, { signal: AbortSignal.timeout(answersWithinMs) });
    await response.body?.cancel();
    return report.ok('endpoint', `${host} answers`);
  } catch {
    const finding = `${host} does not answer over HTTP within ${answersWithinMs / 1_000} s`;
    return report.fail('endpoint', finding, mend);
  }
}
