import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import '../http-access/add-access-control.ts';

const checkStateSchema = z.enum(['ok', 'degraded', 'failed']);

/** One thing that a process depends on, and how it is. */
export type CheckState = z.output<typeof checkStateSchema>;

/** What `/health/ready` answers, with 503 when a check failed. */
export const readinessSchema = z.object({
  status: checkStateSchema,
  checks: z.record(z.string(), checkStateSchema),
});

/** A process is ready unless a check failed; `degraded` is told but still ready. */
export type ReadinessCheck = () => Promise<Record<string, CheckState>>;

export interface HealthOptions {
  checkReadiness: ReadinessCheck;
  registry: Registry;
}

/**
 * `/health/live` (the event loop turns), `/health/ready` (200, or 503 when a check failed) and `/metrics`
 * in Prometheus's text format. They need no key.
 */
export function addHealthRoutes(server: FastifyInstance, options: HealthOptions): void {
  const open = { config: { scope: 'open' as const } };
  server.get('/health/live', open, () => ({ status: 'ok' }));
  server.get('/health/ready', open, async (_request, reply) => {
    const checks = await options.checkReadiness();
    const states = Object.values(checks);
    const status = states.includes('failed') ? 'failed' : states.includes('degraded') ? 'degraded' : 'ok';
    return reply.code(status === 'failed' ? 503 : 200).send({ status, checks });
  });
  server.get('/metrics', open, async (_request, reply) =>
    reply.type(options.registry.contentType).send(await options.registry.metrics()),
  );
}
