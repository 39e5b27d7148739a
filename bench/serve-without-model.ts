/**
 * The server of the models without a model: started by the benchmark as a process of its own, it answers every
 * prediction with the same body, and tells where it listens.
 */
import { createHttpServer } from '../shared/http/create-http-server.ts';
import { createLogger } from '../shared/telemetry/create-logger.ts';
import { createMetrics } from '../shared/telemetry/create-metrics.ts';
import { withoutTracing } from '../shared/telemetry/open-tracing.ts';

const [answer = '{}'] = process.argv.slice(2);

const server = await createHttpServer(
  {
    access: { keys: [], trustedNetwork: false, corsOrigins: [], requestsPerMinute: 60_000 },
    log: createLogger({ process: 'bench', level: 'error' }),
    metrics: createMetrics(),
    tracing: withoutTracing,
  },
  { title: 'Control', description: 'Answers the same body every time.' },
);
const body: unknown = JSON.parse(answer);
server.post('/predict/:model_id', { config: { scope: 'produce' } }, () => body);
process.on('disconnect', () => void server.close());
process.send?.({ url: await server.listen({ host: '127.0.0.1', port: 0 }) });
