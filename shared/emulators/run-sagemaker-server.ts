import { parseArgs } from 'node:util';
import { openSagemakerServer } from './sagemaker-server.ts';

// The local SageMaker server as a process of its own: prints its URL on one line and serves until it is
// stopped or its parent ends.
//
//   node shared/emulators/run-sagemaker-server.ts [--port 0] [--latency-ms 20]

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, 'latency-ms': { type: 'string', default: '0' } },
});
const server = await openSagemakerServer({
  port: Number(values.port),
  latencyMs: Number(values['latency-ms']),
});
process.stdout.write(`${server.url}\n`);
for (const reason of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
  process.once(reason, () => process.exit(0));
}
