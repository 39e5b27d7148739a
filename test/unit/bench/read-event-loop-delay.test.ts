import { createServer } from 'node:http';
import { once } from 'node:events';
import { readEventLoopDelay } from '../../../bench/read-event-loop-delay.ts';

it('takes the time between two looks off what Node measured, in milliseconds', async () => {
  const metrics = [
    'nodejs_eventloop_lag_mean_seconds 0.5',
    'nodejs_eventloop_lag_p50_seconds 0.009',
    'nodejs_eventloop_lag_p99_seconds 0.034',
  ];
  const server = createServer((_request, response) => response.end(`${metrics.join('\n')}\n`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { p50, p99 } = await readEventLoopDelay([`http://127.0.0.1:${port}`]);
    expect(p50).toBe(0);
    expect(p99).toBeCloseTo(24);
  } finally {
    server.close();
  }
});
