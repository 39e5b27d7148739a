import { fastify } from 'fastify';
import { addHealthRoutes, type HealthOptions } from './health-routes.ts';

export interface HealthServer extends AsyncDisposable {
  url: string;
}

/** Serves the health routes of a process that has no other HTTP interface. Port 0 means any free one. */
export async function openHealthServer(
  options: HealthOptions & { host: string; port: number },
): Promise<HealthServer> {
  const server = fastify({ forceCloseConnections: true });
  addHealthRoutes(server, options);
  const url = await server.listen({ host: options.host, port: options.port });
  return { url, [Symbol.asyncDispose]: () => server.close() };
}
