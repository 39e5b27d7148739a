import { askHealth } from '../../shared/process/ask-health.ts';
import type { CliContext } from './cli-context.ts';

/** Time for a process that has much to do; the health check of the image has more. */
const withinMs = 5_000;

/**
 * Asks the process whose environment this is too, which in a container is the one that the container runs. Answers the
 * exit code: 0 when it is ready.
 */
export async function health({
  environment,
  output,
  messages,
}: Pick<CliContext, 'environment' | 'output' | 'messages'>): Promise<number> {
  const url = healthUrl(environment);
  if (url === undefined) {
    messages.write('HEALTH_PORT is not set, so nobody knows where the health routes are.\n');
    return 1;
  }
  try {
    const { isReady, notOk } = await askHealth(url, withinMs);
    if (isReady) output.write(`ready${notOk.map((check) => `, ${check}`).join('')}\n`);
    else messages.write(`not ready: ${notOk.join(', ')}\n`);
    return isReady ? 0 : 1;
  } catch (error) {
    messages.write(`No answer from ${url}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** By hand, because whatever is loaded for this is loaded for every container every few seconds. */
function healthUrl({
  HOST: host = '',
  HEALTH_PORT: port = '',
}: CliContext['environment']): string | undefined {
  if (port === '' || port === '0') return undefined;
  // Those that stand for all addresses of a machine are none to ask.
  if (host === '' || host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
