import type { ProcessSettings } from '../config/process-settings.ts';
import type { HealthOptions } from './health-routes.ts';
import { openHealthServer } from './open-health-server.ts';

/**
 * Serves the health routes of a process that has an HTTP interface of its own on HEALTH_PORT too, where that is set: so
 * one probe serves every process, also where the other port is somebody else's. Answers their address.
 */
export async function openHealthPort(
  { host, healthPort }: Pick<ProcessSettings, 'host' | 'healthPort'>,
  options: HealthOptions,
  resources: AsyncDisposableStack,
): Promise<string | undefined> {
  if (healthPort === 0) return undefined;
  return resources.use(await openHealthServer({ ...options, host, port: healthPort })).url;
}
